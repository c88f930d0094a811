/** The clients, in the order of the report card. */
import { javaClient } from "./clients/java-client.mjs";
import { kafkaTools } from "./clients/kafka-tools.mjs";
import { kafkajs } from "./clients/kafkajs.mjs";
import { kcat } from "./clients/kcat.mjs";
import { librdkafka } from "./clients/librdkafka.mjs";
import { npmStart } from "./clients/npm-start.mjs";
import { platformatic } from "./clients/platformatic.mjs";
import { confluentKafka, kafkaPython } from "./clients/python.mjs";

export const SUITES = [
  kafkajs,
  platformatic,
  javaClient,
  confluentKafka,
  kafkaPython,
  kcat,
  kafkaTools,
  librdkafka,
  npmStart,
];
