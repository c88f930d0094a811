/**
 * What is compared, and which ratio of ours to Kafka's is aimed at. `e2e_*` is the procedure of Kafka's
 * EndToEndLatency, by a program that counts microseconds and warms the client first.
 */

export const FIGURES = [
  { name: "start_to_first_ack_s", unit: "s", run: "start", target: { atMost: 0.3 } },
  { name: "idle_rss_mb", unit: "MB", run: "idle", target: { atMost: 0.3 } },
  { name: "produce_1k_mb_s", unit: "MB/s", run: "produce", target: { atLeast: 1.2 } },
  { name: "produce_1k_cpu_s_gb", unit: "CPU-s/GB", run: "produce", target: { atMost: 1.1 } },
  { name: "consume_mb_s", unit: "MB/s", run: "consume", target: { atLeast: 1.2 } },
  { name: "consume_cpu_s_gb", unit: "CPU-s/GB", run: "consume", target: { atMost: 1 } },
  { name: "produce_1k_flushed_mb_s", unit: "MB/s", run: "flushed", target: { atLeast: 1.2 } },
  { name: "produce_100b_records_s", unit: "records/s", run: "small", target: { atLeast: 0.9 } },
  { name: "java_defaults_mb_s", unit: "MB/s", run: "java", target: { atLeast: 1.1 } },
  { name: "partitions_1000_mb_s", unit: "MB/s", run: "partitions", target: { atLeast: 2 } },
  { name: "e2e_p50_ms", unit: "ms", run: "endToEnd", target: { atMost: 0.6 } },
  { name: "e2e_p99_ms", unit: "ms", run: "endToEnd", target: { atMost: 0.6 } },
  { name: "failover_s", unit: "s", run: "failover", target: { atMost: 0.15 } },
];

/** Kafka's compiler is done after that; ours has never been warmed. */
export const WARM_GIGABYTES = 12;
const WARM_TARGETS = { produce_1k_mb_s: { atLeast: 0.8 } };

export function targetOf(figure, warmUpGigabytes) {
  const isWarm = warmUpGigabytes >= WARM_GIGABYTES;
  return (isWarm ? WARM_TARGETS[figure.name] : undefined) ?? figure.target;
}
