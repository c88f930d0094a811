/** A refusal as the two fields that most answers have for it. */
import { BrokerError, errorNumber } from "@strandline/model";

export interface RefusalFields {
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

export const ACCEPTED: RefusalFields = { errorCode: 0, errorMessage: null };

/** Anything that is no refusal is thrown on: it closes the connection. */
export function refusalFields(error: unknown): RefusalFields {
  if (!(error instanceof BrokerError)) throw error;
  return { errorCode: errorNumber(error.code), errorMessage: error.message };
}

/** What a piece of work came to. */
export async function outcomeOf(work: () => Promise<unknown>): Promise<RefusalFields> {
  try {
    await work();
    return ACCEPTED;
  } catch (error) {
    return refusalFields(error);
  }
}
