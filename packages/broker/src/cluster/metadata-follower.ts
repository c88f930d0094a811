/**
 * Follows the metadata log of the controllers and keeps the newest image. Any controller will do;
 * when a stream breaks, the next one is asked from the offset reached.
 */

import {
  decodeImage,
  decodeRecords,
  diffImages,
  emptyImage,
  type MetadataDelta,
  type MetadataImage,
  replay,
} from "@strandline/metadata";
import { BrokerError, type ClusterId, type NodeId } from "@strandline/model";
import type { Logger, RpcStream, Timer, Timers, Transport } from "@strandline/platform";
import { controllerMethods, type FollowRequest, type MetadataUpdate } from "@strandline/rpc";

const RETRY_MS = 50;

export interface MetadataFollowerOptions {
  readonly nodeId: NodeId;
  readonly clusterId: ClusterId | undefined;
  readonly controllerAddresses: readonly string[];
}

/** Called after every update, with what changed. */
export type OnMetadata = (image: MetadataImage, delta: MetadataDelta) => void;

export class MetadataFollower {
  readonly #transport: Transport;
  readonly #timers: Timers;
  readonly #logger: Logger;
  readonly #options: MetadataFollowerOptions;
  readonly #onMetadata: OnMetadata;
  readonly #onController: () => void;
  readonly #onFatal: (error: Error) => void;
  #image: MetadataImage = emptyImage();
  #stream: RpcStream<FollowRequest> | undefined;
  #retry: Timer | undefined;
  #next = 0;
  #isClosed = false;
  #controllerAddress: string | undefined;
  #controllerId = -1;
  #voters: readonly number[] = [];

  constructor(
    ports: { transport: Transport; timers: Timers; logger: Logger },
    options: MetadataFollowerOptions,
    callbacks: {
      onMetadata: OnMetadata;
      /** The active controller is another one, or unknown now. */
      onController: () => void;
      onFatal: (error: Error) => void;
    },
  ) {
    this.#transport = ports.transport;
    this.#timers = ports.timers;
    this.#logger = ports.logger;
    this.#options = options;
    this.#onMetadata = callbacks.onMetadata;
    this.#onController = callbacks.onController;
    this.#onFatal = callbacks.onFatal;
  }

  get image(): MetadataImage {
    return this.#image;
  }

  /** Address of the active controller as last heard; undefined when none is known. */
  get controllerAddress(): string | undefined {
    return this.#controllerAddress;
  }

  /** -1 when unknown. */
  get controllerId(): number {
    return this.#controllerId;
  }

  /** Node ids of the controllers that vote. */
  get voters(): readonly number[] {
    return this.#voters;
  }

  start(): void {
    this.#open();
  }

  close(): void {
    this.#isClosed = true;
    this.#retry?.cancel();
    this.#stream?.abort();
    this.#stream = undefined;
  }

  #open(): void {
    const addresses = this.#options.controllerAddresses;
    const address = addresses[this.#next % addresses.length] as string;
    const stream: RpcStream<FollowRequest> = this.#transport.open(
      address,
      controllerMethods.follow,
      {
        onMessage: (update) => {
          if (this.#stream === stream) this.#apply(update);
        },
        onEnd: (error) => {
          if (this.#stream === stream) this.#lost(address, error);
        },
      },
    );
    this.#stream = stream;
    stream.send({
      nodeId: this.#options.nodeId,
      clusterId: this.#image.clusterId ?? this.#options.clusterId ?? "",
      fromOffset: this.#image.offset,
    });
    stream.end();
  }

  #lost(address: string, error: Error | undefined): void {
    this.#stream = undefined;
    this.#controllerAddress = undefined;
    this.#controllerId = -1;
    if (this.#isClosed) return;
    if (error instanceof BrokerError && !error.retriable) {
      this.#onFatal(error);
      return;
    }
    this.#logger.debug({ address, error: error?.message }, "metadata stream ended; asking again");
    this.#next += 1;
    this.#retry = this.#timers.after(RETRY_MS, () => this.#open());
  }

  #apply(update: MetadataUpdate): void {
    if (update.controllerId !== undefined) {
      this.#controllerId = update.controllerId;
      this.#controllerAddress = update.controllerAddress || undefined;
      this.#voters = update.voters;
      this.#onController();
    }
    const before = this.#image;
    if (update.snapshot && update.snapshot.length > 0) {
      const image = decodeImage(parseJson(update.snapshot));
      // A controller that is behind may send what this broker has already passed.
      if (image.offset <= before.offset) return;
      this.#image = image;
      this.#onMetadata(image, diffImages(before, image));
      return;
    }
    if (update.records && update.records.length > 0 && update.endOffset > before.offset) {
      const { image, delta } = replay(
        before,
        decodeRecords(parseJson(update.records)),
        update.endOffset,
      );
      this.#image = image;
      this.#onMetadata(image, delta);
    }
  }
}

const decoder = new TextDecoder();

function parseJson(bytes: Uint8Array): unknown {
  return JSON.parse(decoder.decode(bytes));
}
