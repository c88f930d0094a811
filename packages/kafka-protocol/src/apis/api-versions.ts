/** ApiVersions: what is served. The only API whose unknown versions are answered. */
import { Api } from "../api.js";
import { array, bool, int16, int32, int64, string, struct } from "../schema.js";

export const apiVersions = new Api({
  key: 18,
  name: "ApiVersions",
  versions: "0-4",
  flexible: "3+",
  request: {
    clientSoftwareName: string({ versions: "3+" }),
    clientSoftwareVersion: string({ versions: "3+" }),
  },
  response: {
    errorCode: int16(),
    apiKeys: array(struct({ apiKey: int16(), minVersion: int16(), maxVersion: int16() })),
    throttleTimeMs: int32({ versions: "1+" }),
    supportedFeatures: array(struct({ name: string(), minVersion: int16(), maxVersion: int16() }), {
      versions: "3+",
      tag: 0,
    }),
    finalizedFeaturesEpoch: int64({ versions: "3+", tag: 1, default: -1 }),
    finalizedFeatures: array(
      struct({ name: string(), maxVersionLevel: int16(), minVersionLevel: int16() }),
      { versions: "3+", tag: 2 },
    ),
    zkMigrationReady: bool({ versions: "3+", tag: 3 }),
  },
});
