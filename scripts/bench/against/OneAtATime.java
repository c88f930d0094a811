import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * One record at a time, to the broker and back: sends one with acks=all, waits for its
 * acknowledgement, polls until the consumer has it, and only then sends the next. The procedure and
 * the clients' settings are those of Kafka's EndToEndLatency. That tool prints whole milliseconds,
 * which is more than most of these records take, and counts from its first record on, when what is
 * slow is the client itself.
 *
 * Run with Kafka's jars: BOOTSTRAP TOPIC UNCOUNTED COUNTED RECORD_BYTES. The topic has one partition.
 * Prints one line of JSON, in microseconds: from the send to the record, and to the acknowledgement.
 */
public final class OneAtATime {
  private static final Duration POLL_MAX = Duration.ofSeconds(60);

  public static void main(String[] arguments) throws Exception {
    String bootstrap = arguments[0];
    String topic = arguments[1];
    int uncounted = Integer.parseInt(arguments[2]);
    int counted = Integer.parseInt(arguments[3]);
    byte[] value = new byte[Integer.parseInt(arguments[4])];
    Random random = new Random(0);
    long[] whole = new long[counted];
    long[] acknowledged = new long[counted];
    try (KafkaConsumer<byte[], byte[]> consumer = consumer(bootstrap);
        KafkaProducer<byte[], byte[]> producer = producer(bootstrap)) {
      List<TopicPartition> partitions = List.of(new TopicPartition(topic, 0));
      consumer.assign(partitions);
      consumer.seekToEnd(partitions);
      consumer.position(partitions.get(0));
      for (int at = -uncounted; at < counted; at += 1) {
        for (int index = 0; index < value.length; index += 1) {
          value[index] = (byte) ('A' + random.nextInt(26));
        }
        long startNs = System.nanoTime();
        producer.send(new ProducerRecord<>(topic, value)).get();
        long acknowledgedNs = System.nanoTime();
        ConsumerRecords<byte[], byte[]> records = consumer.poll(POLL_MAX);
        long endNs = System.nanoTime();
        requireOnly(records, value);
        if (at < 0) continue;
        whole[at] = endNs - startNs;
        acknowledged[at] = acknowledgedNs - startNs;
      }
    }
    System.out.printf(
        Locale.ROOT,
        "{\"whole\":%s,\"acknowledged\":%s}%n",
        percentiles(whole),
        percentiles(acknowledged));
  }

  private static KafkaProducer<byte[], byte[]> producer(String bootstrap) {
    return new KafkaProducer<>(
        Map.of(
            "bootstrap.servers", bootstrap,
            "acks", "all",
            "linger.ms", "0",
            "max.block.ms", String.valueOf(Long.MAX_VALUE)),
        new ByteArraySerializer(),
        new ByteArraySerializer());
  }

  private static KafkaConsumer<byte[], byte[]> consumer(String bootstrap) {
    return new KafkaConsumer<>(
        Map.of(
            "bootstrap.servers", bootstrap,
            "group.id", "one-at-a-time-" + System.currentTimeMillis(),
            "enable.auto.commit", "false",
            "auto.offset.reset", "latest",
            "fetch.max.wait.ms", "0"),
        new ByteArrayDeserializer(),
        new ByteArrayDeserializer());
  }

  private static void requireOnly(ConsumerRecords<byte[], byte[]> records, byte[] value) {
    if (records.count() != 1) throw new IllegalStateException(records.count() + " records came");
    ConsumerRecord<byte[], byte[]> record = records.iterator().next();
    if (!Arrays.equals(record.value(), value)) throw new IllegalStateException("another record came");
  }

  private static String percentiles(long[] nanoseconds) {
    long[] sorted = nanoseconds.clone();
    Arrays.sort(sorted);
    return String.format(
        Locale.ROOT,
        "{\"mean\":%.1f,\"p50\":%.1f,\"p99\":%.1f}",
        Arrays.stream(sorted).average().orElseThrow() / 1e3,
        sorted[(int) (sorted.length * 0.5)] / 1e3,
        sorted[(int) (sorted.length * 0.99)] / 1e3);
  }
}
