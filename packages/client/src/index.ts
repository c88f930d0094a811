/** The TypeScript client of a Strandline cluster: producers, consumers by assignment, admin. */
export { Admin } from "./admin/admin.js";
export type * from "./admin/admin-types.js";
export type { ClientOptions } from "./client-options.js";
export type { FoundOffset, StartAt } from "./cluster/offset-finder.js";
export { type ConnectOptions, connect } from "./connect.js";
export { Consumer } from "./consumer/consumer.js";
export type { ConsumerOptions, ConsumerWaitOptions } from "./consumer/consumer-options.js";
export type {
  ConsumerBatch,
  ConsumerRecord,
  PartitionAssignment,
  TopicPartitionName,
} from "./consumer/consumer-record.js";
export { ClientError, type ClientErrorCode } from "./errors.js";
export { GroupConsumer } from "./group/group-consumer.js";
export type { GroupConsumerOptions } from "./group/group-consumer-options.js";
export type * from "./group/group-types.js";
export { Groups } from "./group/groups.js";
export type { ClientPorts } from "./ports.js";
export { Producer, type ProducerCloseOptions, type WaitOptions } from "./producer/producer.js";
export type { ProducerOptions } from "./producer/producer-options.js";
export type {
  Content,
  DeliveryReport,
  ProducerHeader,
  ProducerRecord,
  SendResult,
} from "./producer/producer-record.js";
export { StrandlineClient } from "./strandline-client.js";
