import { describe, expect, it } from "vitest";
import { toldBy } from "./told.js";

const LISTENER = { name: "PLAINTEXT", port: 9_092, advertised: undefined };

describe(toldBy, () => {
  it("says what is advertised, else what is bound, else that it follows the client", () => {
    const advertised = { host: "example.org", port: 29_092 };
    expect(toldBy({ ...LISTENER, host: "0.0.0.0", advertised })).toBe("example.org:29092");
    expect(toldBy({ ...LISTENER, host: "10.0.0.7" })).toBe("10.0.0.7:9092");
    expect(toldBy({ ...LISTENER, host: "0.0.0.0" })).toBe(
      "the address that each of them connected to, port 9092",
    );
  });
});
