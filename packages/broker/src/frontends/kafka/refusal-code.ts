/** The refusal that a service threw, for the field of a response that has room for it. */
import { BrokerError, type ErrorCode } from "@strandline/model";

/** Anything that is no refusal is thrown on: it closes the connection. */
export function refusalCode(error: unknown): ErrorCode {
  if (error instanceof BrokerError) return error.code;
  throw error;
}
