import { Metadata, status } from "@grpc/grpc-js";
import { BrokerError } from "@strandline/model";
import { TransportError } from "@strandline/platform";
import { describe, expect, it } from "vitest";
import { DecodeError } from "../wire/decode-error.js";
import { errorOfStatus, statusOf } from "./call-status.js";
import { errorFromProto, errorToProto, refusalToProto } from "./error-detail.js";
import { decodeStatusDetails, encodeStatusDetails, STATUS_DETAILS_KEY } from "./status-details.js";

const HERE = "localhost:1";

function received(code: status, details: string) {
  return errorOfStatus({ code, details, metadata: new Metadata() }, HERE);
}

describe("a refusal", () => {
  it("comes back equal from its message", () => {
    const refusal = new BrokerError("OFFSET_OUT_OF_RANGE", "offset 7 is not in [10, 20)");
    const detail = errorToProto(refusal);
    expect(detail).toEqual({
      code: "OFFSET_OUT_OF_RANGE",
      message: refusal.message,
      retriable: false,
    });
    expect(errorFromProto(detail)).toEqual(refusal);
    expect(refusalToProto({ code: "NOT_CONTROLLER", message: "ask 2" }).retriable).toBe(true);
  });

  it("comes back equal from a status, for which it has a code of gRPC's own", () => {
    const refusal = new BrokerError("UNKNOWN_TOPIC_OR_PARTITION", "no topic “ü”");
    const sent = statusOf(refusal);
    expect([sent.code, sent.details]).toEqual([status.NOT_FOUND, refusal.message]);
    expect(errorOfStatus(sent, HERE)).toEqual(refusal);
  });

  it("of a name that this version does not know keeps the name and the text", () => {
    const error = errorFromProto({ code: "NEW_IN_2031", message: "why", retriable: true });
    expect(error).toEqual(new BrokerError("UNKNOWN_SERVER_ERROR", "NEW_IN_2031: why"));
  });

  it("keeps a text that no header could carry within bounds", () => {
    const detail = errorToProto(new BrokerError("INVALID_REQUEST", `\ud800${"x".repeat(5000)}`));
    expect(detail.message.length).toBe(1000);
    expect(detail.message.startsWith("\u{fffd}x")).toBe(true);
  });
});

describe("a failure that is no refusal", () => {
  it("is told to the peer without its text", () => {
    for (const failure of [new TypeError("secret"), new TransportError("broken", "secret"), 3]) {
      const sent = statusOf(failure);
      expect(sent.code).toBe(status.INTERNAL);
      expect(JSON.stringify(sent.metadata.getMap()) + sent.details).not.toContain("secret");
      expect(errorOfStatus(sent, HERE)).toMatchObject({ code: "UNKNOWN_SERVER_ERROR" });
    }
  });

  it("is the caller's when its message cannot be read", () => {
    const sent = statusOf(new DecodeError("the message ends inside a field"));
    expect(sent.code).toBe(status.INVALID_ARGUMENT);
    expect(errorOfStatus(sent, HERE)).toMatchObject({ code: "INVALID_REQUEST" });
  });
});

describe("a status without a detail", () => {
  it("becomes a failure of the connection, or says that the method is not served", () => {
    expect(received(status.DEADLINE_EXCEEDED, "")).toMatchObject({ reason: "timeout" });
    expect(received(status.CANCELLED, "")).toMatchObject({ reason: "aborted" });
    expect(received(status.UNIMPLEMENTED, "")).toMatchObject({ code: "UNSUPPORTED_VERSION" });
    expect(received(status.UNAVAILABLE, "Connection dropped")).toMatchObject({ reason: "broken" });
    expect(received(status.INTERNAL, "RST_STREAM")).toMatchObject({ reason: "broken" });
    const never = "No connection established. Last error: ECONNREFUSED";
    expect(received(status.UNAVAILABLE, never)).toMatchObject({ reason: "unreachable" });
  });

  it("stands alone when the peer garbled its details", () => {
    const metadata = new Metadata();
    metadata.set(STATUS_DETAILS_KEY, Buffer.of(0x1a, 0x7f));
    const error = errorOfStatus({ code: status.UNAVAILABLE, details: "", metadata }, HERE);
    expect(error).toMatchObject({ reason: "broken" });
  });
});

describe("status details", () => {
  it("are google.rpc.Status with the error as an Any", () => {
    const detail = { code: "X", message: "m", retriable: true };
    const expected = [
      [0x08, 5, 0x12, 1, 0x6d],
      [0x1a, 0x33, 0x0a, 0x27, ...Buffer.from("type.googleapis.com/strandline.v1.Error")],
      [0x12, 8, 0x0a, 1, 0x58, 0x12, 1, 0x6d, 0x18, 1],
    ];
    const bytes = encodeStatusDetails(5, detail);
    expect([...bytes]).toEqual(expected.flat());
    expect(decodeStatusDetails(bytes)).toEqual(detail);
  });

  it("of other types are passed over", () => {
    const other = [0x1a, 6, 0x0a, 1, 0x61, 0x12, 1, 0x62];
    const bytes = encodeStatusDetails(5, { code: "X", message: "", retriable: false });
    expect(decodeStatusDetails(Buffer.from([...other, ...bytes]))?.code).toBe("X");
    expect(decodeStatusDetails(Buffer.from(other))).toBeUndefined();
  });
});
