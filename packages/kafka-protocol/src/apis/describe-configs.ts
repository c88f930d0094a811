/** DescribeConfigs: settings, and where their values come from. */
import { Api } from "../api.js";
import { array, bool, int8, int16, int32, string, struct } from "../schema.js";

export const describeConfigs = new Api({
  key: 32,
  name: "DescribeConfigs",
  versions: "1-4",
  flexible: "4+",
  request: {
    resources: array(
      struct({
        resourceType: int8(),
        resourceName: string(),
        configurationKeys: array(string(), { nullable: "0+" }),
      }),
    ),
    includeSynonyms: bool({ versions: "1+" }),
    includeDocumentation: bool({ versions: "3+" }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    results: array(
      struct({
        errorCode: int16(),
        errorMessage: string({ nullable: "0+" }),
        resourceType: int8(),
        resourceName: string(),
        configs: array(
          struct({
            name: string(),
            value: string({ nullable: "0+" }),
            readOnly: bool(),
            configSource: int8({ versions: "1+", default: -1 }),
            isSensitive: bool(),
            synonyms: array(
              struct({ name: string(), value: string({ nullable: "0+" }), source: int8() }),
              { versions: "1+" },
            ),
            configType: int8({ versions: "3+" }),
            documentation: string({ versions: "3+", nullable: "0+" }),
          }),
        ),
      }),
    ),
  },
});
