/**
 * What a command comes to. Deciding changes nothing: the records take effect when they are
 * replayed, and the response may leave once everything decided so far, these records included,
 * is committed.
 */
import type { ErrorCode, Refusal } from "@strandline/model";
import type { MetadataRecord } from "./records.js";

export type Decision<Response> =
  | {
      readonly kind: "accepted";
      /** One transaction: all or none. Empty when the metadata already is as asked. */
      readonly records: readonly MetadataRecord[];
      readonly response: Response;
    }
  | { readonly kind: "refused"; readonly refusal: Refusal };

export type Refused = Extract<Decision<never>, { readonly kind: "refused" }>;

export function accept<Response>(
  response: Response,
  records: readonly MetadataRecord[] = [],
): Decision<Response> {
  return { kind: "accepted", records, response };
}

export function refuse(code: ErrorCode, message: string): Refused {
  return { kind: "refused", refusal: { code, message } };
}
