/**
 * Sends the committed metadata to everyone who follows: from memory where the offset asked for is
 * still there, else a snapshot first. Each follower has a cursor; a slow one is simply behind.
 */
import { BrokerError, type ClusterId } from "@strandline/model";
import type { RpcReceiver, RpcStream } from "@strandline/platform";
import type { FollowRequest, MetadataUpdate } from "@strandline/rpc";
import type { CommittedRecords } from "./metadata-machine.js";

const HISTORY_BYTES_MAX = 16 * 1024 * 1024;
const NOTHING = new Uint8Array(0);

export interface ControllerView {
  /** -1 when unknown. */
  readonly controllerId: number;
  readonly controllerAddress: string;
  readonly voters: readonly number[];
  readonly term: number;
}

export interface MetadataFeedsOwner {
  clusterId(): ClusterId | undefined;
  view(): ControllerView;
  /** The committed image and its offset. */
  snapshot(): { json: Uint8Array; endOffset: number };
}

export class MetadataFeeds {
  readonly #owner: MetadataFeedsOwner;
  readonly #feeds = new Set<Feed>();
  /** The transactions that end in (startOffset, …], oldest first. */
  #history: CommittedRecords[] = [];
  #historyBytes = 0;
  #startOffset = 0;

  constructor(owner: MetadataFeedsOwner) {
    this.#owner = owner;
  }

  /** A transaction was applied. */
  committed(records: CommittedRecords): void {
    this.#history.push(records);
    this.#historyBytes += records.json.length;
    while (this.#historyBytes > HISTORY_BYTES_MAX && this.#history.length > 1) {
      const dropped = this.#history.shift() as CommittedRecords;
      this.#historyBytes -= dropped.json.length;
      this.#startOffset = dropped.endOffset;
    }
    for (const feed of this.#feeds) feed.pump();
  }

  /** The image was replaced as a whole. */
  restored(endOffset: number): void {
    this.#history = [];
    this.#historyBytes = 0;
    this.#startOffset = endOffset;
    for (const feed of this.#feeds) feed.pump();
  }

  /** Another node is the active controller, or none is known. */
  viewChanged(): void {
    for (const feed of this.#feeds) feed.sendView();
  }

  receiver(stream: RpcStream<MetadataUpdate>): RpcReceiver<FollowRequest> {
    let feed: Feed | undefined;
    return {
      onMessage: (request) => {
        const own = this.#owner.clusterId();
        if (own !== undefined && request.clusterId !== "" && request.clusterId !== own) {
          stream.abort(
            new BrokerError(
              "INCONSISTENT_CLUSTER_ID",
              `the controllers belong to cluster ${own}, this node's data directory to ${request.clusterId}; ` +
                "give the node the voters of its own cluster, or an empty data directory to join this one",
            ),
          );
          return;
        }
        feed = new Feed(stream, request.fromOffset, this);
        this.#feeds.add(feed);
        feed.sendView();
        feed.pump();
      },
      onDrain: () => feed?.drained(),
      onEnd: (error) => {
        if (error !== undefined && feed !== undefined) this.#feeds.delete(feed);
      },
    };
  }

  close(): void {
    for (const feed of this.#feeds) feed.stop();
    this.#feeds.clear();
  }

  /** What comes after `offset`: the next transaction, a snapshot, or nothing. */
  next(offset: number): MetadataUpdate | undefined {
    const { endOffset } = this.#history.at(-1) ?? { endOffset: this.#startOffset };
    if (offset >= endOffset) return undefined;
    if (offset < this.#startOffset) {
      const snapshot = this.#owner.snapshot();
      return this.#update({ snapshot: snapshot.json, endOffset: snapshot.endOffset });
    }
    const found = this.#history[this.#search(offset)] as CommittedRecords;
    return this.#update({ records: found.json, endOffset: found.endOffset });
  }

  view(): MetadataUpdate {
    const { controllerId, controllerAddress, voters } = this.#owner.view();
    return {
      ...this.#update({ endOffset: 0 }),
      controllerId,
      controllerAddress,
      voters: [...voters],
    };
  }

  #update(part: {
    snapshot?: Uint8Array;
    records?: Uint8Array;
    endOffset: number;
  }): MetadataUpdate {
    return {
      snapshot: part.snapshot ?? NOTHING,
      records: part.records ?? NOTHING,
      endOffset: part.endOffset,
      controllerEpoch: this.#owner.view().term,
      controllerAddress: "",
      clusterId: this.#owner.clusterId() ?? "",
      voters: [],
    };
  }

  /** Position of the first transaction that ends after `offset`. */
  #search(offset: number): number {
    let low = 0;
    let high = this.#history.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#history[middle] as CommittedRecords).endOffset <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

class Feed {
  readonly #stream: RpcStream<MetadataUpdate>;
  readonly #feeds: MetadataFeeds;
  #offset: number;
  #isFull = false;

  constructor(stream: RpcStream<MetadataUpdate>, offset: number, feeds: MetadataFeeds) {
    this.#stream = stream;
    this.#offset = offset;
    this.#feeds = feeds;
  }

  pump(): void {
    while (!this.#isFull) {
      const update = this.#feeds.next(this.#offset);
      if (update === undefined) return;
      this.#offset = update.endOffset;
      if (!this.#stream.send(update)) this.#isFull = true;
    }
  }

  sendView(): void {
    this.#stream.send(this.#feeds.view());
  }

  drained(): void {
    this.#isFull = false;
    this.pump();
  }

  stop(): void {
    this.#stream.end();
  }
}
