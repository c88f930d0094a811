/** Every API that this broker answers, and by what. Clients are told of these. */

import type { BrokerSettings, MetadataImage } from "@strandline/metadata";
import type { Clock } from "@strandline/platform";
import type { AdminService } from "../../services/admin.js";
import type { Directory } from "../../services/directory.js";
import type { FetchManyService } from "../../services/fetch-many.js";
import type { FetchSessions } from "../../services/fetch-sessions.js";
import type { GroupService } from "../../services/groups.js";
import type { OffsetsService } from "../../services/offsets.js";
import type { ProducerIds } from "../../services/producer-ids.js";
import { type AdminHandlerParts, adminHandlers } from "./admin-handlers.js";
import { createTopicsHandler } from "./create-topics.js";
import { deleteTopicsHandler } from "./delete-topics.js";
import { fetchHandler } from "./fetch.js";
import { groupHandlers } from "./group-handlers.js";
import type { KafkaHandlers } from "./handler.js";
import { initProducerIdHandler } from "./init-producer-id.js";
import { listOffsetsHandler } from "./list-offsets.js";
import { type MetadataParts, metadataHandler } from "./metadata.js";
import { offsetForLeaderEpochHandler } from "./offset-for-leader-epoch.js";

export interface KafkaServices {
  readonly groups: GroupService;
  readonly settings: BrokerSettings;
  readonly clock: Clock;
  readonly directory: Directory;
  readonly metadata: MetadataParts;
  readonly admin: AdminService;
  readonly administration: AdminHandlerParts;
  readonly offsets: OffsetsService;
  readonly producerIds: ProducerIds;
  readonly fetchMany: FetchManyService;
  readonly fetchSessions: FetchSessions;
}

export function kafkaHandlers(services: KafkaServices): KafkaHandlers {
  const { clock, directory, admin, offsets, producerIds, fetchMany } = services;
  const image = (): MetadataImage => directory.image;
  return {
    Metadata: metadataHandler(services.metadata),
    ...groupHandlers(services.groups),
    ...adminHandlers(services.administration),
    Fetch: fetchHandler({
      clock,
      directory,
      sessions: services.fetchSessions,
      fetchMany,
      answerBytesMax: services.settings.number("fetch.max.bytes"),
    }),
    ListOffsets: listOffsetsHandler({ directory, offsets }),
    OffsetForLeaderEpoch: offsetForLeaderEpochHandler({ directory }),
    InitProducerId: initProducerIdHandler({ producerIds }),
    CreateTopics: createTopicsHandler({ admin, image }),
    DeleteTopics: deleteTopicsHandler({ admin, image }),
  };
}
