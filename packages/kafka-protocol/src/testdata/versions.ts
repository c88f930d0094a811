import type { AnyApi } from "../api.js";
import { type ApiName, SERVED_APIS } from "../apis/served-apis.js";

export interface ServedVersion {
  readonly name: ApiName;
  readonly api: AnyApi;
  readonly version: number;
}

/** Every API in every version that is served. */
export function servedVersions(): ServedVersion[] {
  const found: ServedVersion[] = [];
  for (const [name, api] of Object.entries(SERVED_APIS)) {
    for (let version = api.versions.from; version <= api.versions.to; version++) {
      found.push({ name: name as ApiName, api, version });
    }
  }
  return found;
}
