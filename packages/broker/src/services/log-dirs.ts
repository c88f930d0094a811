/** What this broker keeps, and what it takes on the disk. It keeps everything in one directory. */
import type { MetadataImage } from "@strandline/metadata";
import type { DiskSpace, FileSystem } from "@strandline/platform";
import type { Partitions } from "../partition/partitions.js";

export interface ReplicaOnDisk {
  readonly topic: string;
  readonly partition: number;
  readonly sizeBytes: number;
  /** Committed records that this replica does not have yet, as far as it knows. */
  readonly offsetLag: number;
}

export interface LogDirsParts {
  /** Where topics are kept. */
  readonly topicsDirectory: string;
  readonly partitions: Partitions;
  image(): MetadataImage;
}

export class LogDirs {
  readonly #fileSystem: FileSystem;
  readonly #parts: LogDirsParts;

  constructor(ports: { readonly fileSystem: FileSystem }, parts: LogDirsParts) {
    this.#fileSystem = ports.fileSystem;
    this.#parts = parts;
  }

  /** The data directory, as its operator knows it. */
  get path(): string {
    const { topicsDirectory } = this.#parts;
    return topicsDirectory.slice(0, topicsDirectory.lastIndexOf("/"));
  }

  /** By topic and partition. */
  replicas(): readonly ReplicaOnDisk[] {
    const { partitions, image } = this.#parts;
    const { topics } = image();
    const found: ReplicaOnDisk[] = [];
    for (const { topicId, partition, log, highWatermark } of partitions.all()) {
      const topic = topics.get(topicId)?.name;
      if (topic === undefined) continue;
      const offsetLag = Math.max(0, highWatermark - log.logEndOffset);
      found.push({ topic, partition, sizeBytes: log.sizeBytes, offsetLag });
    }
    return found.sort((a, b) =>
      a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1,
    );
  }

  /** Undefined where the system does not tell. */
  async space(): Promise<DiskSpace | undefined> {
    return await this.#fileSystem.space(this.#parts.topicsDirectory);
  }
}
