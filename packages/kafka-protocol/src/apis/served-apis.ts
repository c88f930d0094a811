/**
 * Every API that is served, by name. What is not in here is not told to clients, and a request for
 * it is refused.
 */
import type { AnyApi } from "../api.js";
import { apiVersions } from "./api-versions.js";
import { createTopics } from "./create-topics.js";
import { deleteTopics } from "./delete-topics.js";
import { fetch } from "./fetch.js";
import { initProducerId } from "./init-producer-id.js";
import { listOffsets } from "./list-offsets.js";
import { metadata } from "./metadata.js";
import { offsetForLeaderEpoch } from "./offset-for-leader-epoch.js";
import { produce } from "./produce.js";

export const SERVED_APIS = {
  Produce: produce,
  Fetch: fetch,
  ListOffsets: listOffsets,
  Metadata: metadata,
  ApiVersions: apiVersions,
  CreateTopics: createTopics,
  DeleteTopics: deleteTopics,
  InitProducerId: initProducerId,
  OffsetForLeaderEpoch: offsetForLeaderEpoch,
} as const satisfies Readonly<Record<string, AnyApi>>;

export type ServedApis = typeof SERVED_APIS;
export type ApiName = keyof ServedApis;

const BY_KEY: ReadonlyMap<number, AnyApi> = new Map(
  Object.values(SERVED_APIS).map((api) => [api.key, api]),
);

/** The API of a number, when it is served. */
export function servedApi(key: number): AnyApi | undefined {
  return BY_KEY.get(key);
}

export interface VersionsOfApi {
  readonly apiKey: number;
  readonly minVersion: number;
  readonly maxVersion: number;
}

/** What an ApiVersions response says, in the order of the API's numbers. */
export const ADVERTISED_VERSIONS: readonly VersionsOfApi[] = Object.values(SERVED_APIS)
  .map((api) => ({
    apiKey: api.key,
    minVersion: api.advertisedFrom,
    maxVersion: api.versions.to,
  }))
  .sort((a, b) => a.apiKey - b.apiKey);
