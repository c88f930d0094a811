/** Everything impure that a broker uses, handed in by who composes it. */
import type {
  Clock,
  Compressors,
  Crc32c,
  FileSystem,
  KeyValueStore,
  Logger,
  Random,
  Timers,
  Transport,
} from "@strandline/platform";

export interface BrokerPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly fileSystem: FileSystem;
  readonly checkpoints: KeyValueStore;
  readonly transport: Transport;
  readonly crc32c: Crc32c;
  readonly compressors: Compressors;
  readonly logger: Logger;
}
