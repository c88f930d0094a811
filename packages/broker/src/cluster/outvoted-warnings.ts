/** Tells the operator of settings that are written on this broker, but not in force. */
import { type MetadataImage, outvotedSettings } from "@strandline/metadata";
import type { NodeId } from "@strandline/model";
import type { Logger } from "@strandline/platform";

export class OutvotedWarnings {
  readonly #logger: Logger;
  readonly #nodeId: NodeId;
  /** What was told of last. */
  #told = "";

  constructor(logger: Logger, nodeId: NodeId) {
    this.#logger = logger;
    this.#nodeId = nodeId;
  }

  /** Warns once of each state of affairs. */
  look(image: MetadataImage): void {
    const outvoted = outvotedSettings(image, this.#nodeId);
    const state = JSON.stringify(outvoted);
    if (state === this.#told) return;
    this.#told = state;
    for (const { name, written, inForce } of outvoted) {
      this.#logger.warn(
        { setting: name, written, inForce: inForce ?? "none" },
        "most brokers have another value of this setting: it is not in force",
      );
    }
  }
}
