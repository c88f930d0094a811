/** The clients, in the order of the report card. */
import { kafkajs } from "./clients/kafkajs.mjs";
import { librdkafka } from "./clients/librdkafka.mjs";
import { platformatic } from "./clients/platformatic.mjs";

import { confluentKafka, kafkaPython } from "./clients/python.mjs";

export const SUITES = [kafkajs, platformatic, confluentKafka, kafkaPython, librdkafka];
