import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Driver of the Java client: calls as lines of JSON. Its argument: the brokers to begin with. */
public final class ClientDriver {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final long READ_MS_MAX = 60_000;

  private final Map<String, Call> calls = new HashMap<>();
  private final Map<Integer, KafkaProducer<byte[], byte[]>> producers = new HashMap<>();
  private final Map<Integer, Member> members = new HashMap<>();
  private final String bootstrap;
  private final Admin admin;

  private interface Call {
    Object run(JsonNode args) throws Exception;
  }

  public static void main(String[] arguments) throws Exception {
    new ClientDriver(arguments[0]).serve();
  }

  private ClientDriver(String bootstrap) {
    this.bootstrap = bootstrap;
    admin = Admin.create(Map.of("bootstrap.servers", bootstrap));
    topicCalls();
    groupCalls();
    recordCalls();
  }

  private void topicCalls() {
    calls.put("createTopic", args -> {
      JsonNode options = args.get(1);
      short replicas = (short) options.path("replicas").asInt(-1);
      NewTopic topic = new NewTopic(args.get(0).asText(), options.get("partitions").asInt(), replicas);
      Map<String, String> configs = new HashMap<>();
      options.path("configs").fields().forEachRemaining(
          entry -> configs.put(entry.getKey(), entry.getValue().asText()));
      admin.createTopics(List.of(topic.configs(configs))).all().get();
      return null;
    });
    calls.put("deleteTopic", args -> {
      admin.deleteTopics(List.of(args.get(0).asText())).all().get();
      return null;
    });
    calls.put("topics", args -> admin.listTopics().names().get());
    calls.put("partitionCount", args -> {
      String topic = args.get(0).asText();
      return admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size();
    });
    calls.put("addPartitions", args -> {
      NewPartitions more = NewPartitions.increaseTo(args.get(1).asInt());
      admin.createPartitions(Map.of(args.get(0).asText(), more)).all().get();
      return null;
    });
    calls.put("configOf", args -> {
      ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, args.get(0).asText());
      return admin.describeConfigs(List.of(resource)).all().get().get(resource)
          .get(args.get(1).asText()).value();
    });
    calls.put("setConfig", args -> {
      ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, args.get(0).asText());
      ConfigEntry entry = new ConfigEntry(args.get(1).asText(), args.get(2).asText());
      AlterConfigOp set = new AlterConfigOp(entry, AlterConfigOp.OpType.SET);
      admin.incrementalAlterConfigs(Map.of(resource, List.of(set))).all().get();
      return null;
    });
    calls.put("deleteRecords", args -> {
      RecordsToDelete before = RecordsToDelete.beforeOffset(args.get(2).asLong());
      admin.deleteRecords(Map.of(partitionOf(args), before)).all().get();
      return null;
    });
  }

  private void groupCalls() {
    calls.put("groups", args ->
        admin.listGroups().all().get().stream().map(group -> group.groupId()).toList());
    calls.put("describeGroup", args -> {
      String id = args.get(0).asText();
      var group = admin.describeConsumerGroups(List.of(id)).all().get().get(id);
      return Map.of("state", group.groupState().toString(), "members", group.members().size());
    });
    calls.put("deleteGroup", args -> {
      admin.deleteConsumerGroups(List.of(args.get(0).asText())).all().get();
      return null;
    });
    calls.put("committed", args -> {
      var offsets = admin.listConsumerGroupOffsets(args.get(0).asText())
          .partitionsToOffsetAndMetadata().get();
      List<Long> found = new ArrayList<>();
      for (JsonNode partition : args.get(2)) {
        found.add(offsets.get(new TopicPartition(args.get(1).asText(), partition.asInt())).offset());
      }
      return found;
    });
    calls.put("open_member", args -> {
      Map<String, Object> config = consumerConfig();
      config.put("group.id", args.get(0).asText());
      config.put("auto.offset.reset", "earliest");
      int id = args.get(2).asInt();
      members.put(id, new Member(id, new KafkaConsumer<>(config), args.get(1).asText()));
      return null;
    });
    calls.put("close_member", args -> {
      members.get(args.get(0).asInt()).close();
      return null;
    });
  }

  private void recordCalls() {
    calls.put("offsets", args -> {
      TopicPartition partition = partitionOf(args);
      try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(consumerConfig())) {
        long first = consumer.beginningOffsets(List.of(partition)).get(partition);
        long end = consumer.endOffsets(List.of(partition)).get(partition);
        return Map.of("first", first, "end", end);
      }
    });
    calls.put("offsetAt", args -> {
      TopicPartition partition = partitionOf(args);
      try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(consumerConfig())) {
        return consumer.offsetsForTimes(Map.of(partition, args.get(2).asLong()))
            .get(partition).offset();
      }
    });
    calls.put("produce", args -> {
      JsonNode options = args.get(3);
      Map<String, Object> more = new HashMap<>();
      more.put("acks", options.path("acks").asText("all"));
      more.put("compression.type", options.path("codec").asText("none"));
      more.put("enable.idempotence", false);
      try (KafkaProducer<byte[], byte[]> producer = newProducer(more)) {
        send(producer, partitionOf(args), args.get(2));
      }
      return null;
    });
    calls.put("open_producer", args -> {
      boolean isIdempotent = args.get(0).get("isIdempotent").asBoolean();
      producers.put(producers.size(), newProducer(Map.of("enable.idempotence", isIdempotent)));
      return producers.size() - 1;
    });
    calls.put("send", args -> {
      TopicPartition partition = new TopicPartition(args.get(1).asText(), args.get(2).asInt());
      send(producers.get(args.get(0).asInt()), partition, args.get(3));
      return null;
    });
    calls.put("close_producer", args -> {
      producers.get(args.get(0).asInt()).close();
      return null;
    });
    calls.put("read", args -> read(partitionOf(args), args.get(2)));
  }

  private void serve() throws IOException {
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      JsonNode call = JSON.readTree(line);
      ObjectNode answer = JSON.createObjectNode().put("id", call.get("id").asInt());
      String method = call.get("method").asText();
      try {
        Object result = method.equals("calls")
            ? calls.keySet()
            : calls.get(method).run(call.get("args"));
        answer.set("result", JSON.valueToTree(result));
      } catch (Exception error) {
        Throwable cause = error.getCause() == null ? error : error.getCause();
        answer.put("error", cause.toString());
      }
      tell(answer);
    }
    for (Member member : members.values()) member.close();
    System.exit(0);
  }

  private static synchronized void tell(ObjectNode message) {
    System.out.println(message);
  }

  private Map<String, Object> consumerConfig() {
    Map<String, Object> config = new HashMap<>();
    config.put("bootstrap.servers", bootstrap);
    config.put("key.deserializer", ByteArrayDeserializer.class);
    config.put("value.deserializer", ByteArrayDeserializer.class);
    return config;
  }

  private KafkaProducer<byte[], byte[]> newProducer(Map<String, Object> more) {
    Map<String, Object> config = new HashMap<>(more);
    config.put("bootstrap.servers", bootstrap);
    config.put("key.serializer", ByteArraySerializer.class);
    config.put("value.serializer", ByteArraySerializer.class);
    return new KafkaProducer<>(config);
  }

  private static TopicPartition partitionOf(JsonNode args) {
    return new TopicPartition(args.get(0).asText(), args.get(1).asInt());
  }

  private static void send(
      KafkaProducer<byte[], byte[]> producer, TopicPartition partition, JsonNode records)
      throws Exception {
    List<Future<?>> sent = new ArrayList<>();
    for (JsonNode record : records) {
      Long timestampMs = record.has("timestampMs") ? record.get("timestampMs").asLong() : null;
      ProducerRecord<byte[], byte[]> made = new ProducerRecord<>(
          partition.topic(), partition.partition(), timestampMs,
          bytesOf(record.get("key")), bytesOf(record.get("value")));
      for (JsonNode header : record.get("headers")) {
        made.headers().add(header.get(0).asText(), bytesOf(header.get(1)));
      }
      sent.add(producer.send(made));
    }
    producer.flush();
    for (Future<?> each : sent) each.get();
  }

  private ArrayNode read(TopicPartition partition, JsonNode options) {
    int count = options.get("count").asInt();
    ArrayNode records = JSON.createArrayNode();
    try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(consumerConfig())) {
      consumer.assign(List.of(partition));
      consumer.seek(partition, options.get("from").asLong());
      long deadline = System.currentTimeMillis() + READ_MS_MAX;
      while (records.size() < count) {
        if (System.currentTimeMillis() > deadline) {
          throw new IllegalStateException(records.size() + " records came in time");
        }
        for (var record : consumer.poll(Duration.ofMillis(200))) {
          if (records.size() < count) records.add(recordOf(record));
        }
      }
    }
    return records;
  }

  private static byte[] bytesOf(JsonNode text) {
    try {
      return text == null || text.isNull() ? null : text.binaryValue();
    } catch (IOException error) {
      throw new IllegalArgumentException(error);
    }
  }

  private static ObjectNode recordOf(ConsumerRecord<byte[], byte[]> record) {
    ObjectNode made = JSON.createObjectNode();
    made.put("offset", record.offset());
    made.put("key", record.key());
    made.put("value", record.value());
    made.put("timestampMs", record.timestamp());
    ArrayNode headers = made.putArray("headers");
    for (Header header : record.headers()) {
      headers.addArray().add(header.key()).add(header.value());
    }
    return made;
  }

  /** A member of a group that reads until it is closed, and commits as it leaves. */
  private static final class Member {
    private final Thread thread;
    private volatile boolean isClosed = false;

    Member(int id, KafkaConsumer<byte[], byte[]> consumer, String topic) {
      thread = new Thread(() -> {
        try (consumer) {
          consumer.subscribe(List.of(topic));
          while (!isClosed) {
            for (var record : consumer.poll(Duration.ofMillis(100))) {
              ObjectNode message = JSON.createObjectNode().put("member", id);
              message.set("record", recordOf(record));
              tell(message);
            }
          }
        } catch (RuntimeException error) {
          tell(JSON.createObjectNode().put("member", id).put("error", error.toString()));
        }
      });
      thread.start();
    }

    void close() {
      isClosed = true;
      try {
        thread.join();
      } catch (InterruptedException error) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
