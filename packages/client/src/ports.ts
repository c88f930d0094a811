/** Everything impure that the client uses, handed in by who composes it. */
import type {
  Clock,
  Compressors,
  Crc32c,
  Logger,
  Random,
  Timers,
  Transport,
} from "@strandline/platform";

export interface ClientPorts {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly crc32c: Crc32c;
  readonly compressors: Compressors;
}
