/** Every API that this broker answers, and by what. Clients are told of these. */
import type { GroupService } from "../../services/groups.js";
import { groupHandlers } from "./group-handlers.js";
import type { KafkaHandlers } from "./handler.js";
import { type MetadataParts, metadataHandler } from "./metadata.js";

export interface KafkaServices {
  readonly groups: GroupService;
  readonly metadata: MetadataParts;
}

export function kafkaHandlers(services: KafkaServices): KafkaHandlers {
  return {
    Metadata: metadataHandler(services.metadata),
    ...groupHandlers(services.groups),
  };
}
