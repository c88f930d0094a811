/** Every API that this broker answers, and by what. Clients are told of these. */
import type { KafkaHandlers } from "./handler.js";
import { type MetadataParts, metadataHandler } from "./metadata.js";

export interface KafkaServices {
  readonly metadata: MetadataParts;
}

export function kafkaHandlers(services: KafkaServices): KafkaHandlers {
  return {
    Metadata: metadataHandler(services.metadata),
  };
}
