/** The Kafka door, request by request. All of it asks one cluster, which takes longer to start. */
import { connectionTests } from "./testdata/kafka-door/connection-tests.js";
import { fetchTests } from "./testdata/kafka-door/fetch-tests.js";
import { metadataTests } from "./testdata/kafka-door/metadata-tests.js";
import { offsetsTests } from "./testdata/kafka-door/offsets-tests.js";
import { produceTests } from "./testdata/kafka-door/produce-tests.js";
import { topicsTests } from "./testdata/kafka-door/topics-tests.js";
import { KafkaDoor } from "./testdata/kafka-door.js";

const door = KafkaDoor.forTests();

metadataTests(door);
produceTests(door);
fetchTests(door);
offsetsTests(door);
topicsTests(door);
connectionTests(door);
