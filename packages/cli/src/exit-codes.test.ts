import { BrokerError } from "@strandline/model";
import { describe, expect, it } from "vitest";
import { CommandError, describeError, EXIT, exitCodeOf } from "./exit-codes.js";

describe("exit codes", () => {
  it("tell a missing topic from other failures", () => {
    const missing = new BrokerError("UNKNOWN_TOPIC_OR_PARTITION", "no such topic");
    expect(exitCodeOf(missing)).toBe(EXIT.notFound);
    expect(exitCodeOf(new BrokerError("INVALID_CONFIG", "bad"))).toBe(EXIT.failed);
  });

  it("tell an unreachable cluster", () => {
    expect(exitCodeOf(new BrokerError("REQUEST_TIMED_OUT", "late"))).toBe(EXIT.unreachable);
  });

  it("come with the cause and a hint", () => {
    const error = new CommandError(EXIT.usage, "no topic given", { hint: "name one" });
    expect(describeError(error)).toEqual(["no topic given", "hint: name one"]);
  });
});
