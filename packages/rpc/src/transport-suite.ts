/**
 * The contract of the Transport port as tests: each adapter runs them on its own kind of world.
 * Needs vitest where it is used.
 */
import { describe } from "vitest";
import { flowTests } from "./transport-suite/flow-tests.js";
import { lendingTests } from "./transport-suite/lending-tests.js";
import { listenerTests } from "./transport-suite/listener-tests.js";
import { streamTests } from "./transport-suite/stream-tests.js";
import { unaryTests } from "./transport-suite/unary-tests.js";
import type { OpenTransportWorld } from "./transport-suite/world.js";

export type { OpenTransportWorld, ServedPeer, TransportWorld } from "./transport-suite/world.js";

/** Describes what every Transport does. `open` makes a fresh world for each test. */
export function transportSuite(name: string, open: OpenTransportWorld): void {
  describe(name, () => {
    unaryTests(open);
    streamTests(open);
    flowTests(open);
    lendingTests(open);
    listenerTests(open);
  });
}
