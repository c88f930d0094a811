/** Every figure: its unit, what it is to reach, and the run that yields it, in the order of runs. */

export const FIGURES = [
  { name: "fdatasync_ms", unit: "ms", run: "disk" },
  { name: "start_to_first_ack_s", unit: "s", run: "start", target: { atMost: 2 } },
  { name: "idle_rss_mb", unit: "MB", run: "idle", target: { atMost: 110 } },
  { name: "grpc_produce_1k_mb_s", unit: "MB/s", run: "records1k", target: { atLeast: 100 } },
  { name: "grpc_produce_1k_cpu_s_gb", unit: "CPU-s/GB", run: "records1k" },
  {
    name: "grpc_produce_100b_records_s",
    unit: "records/s",
    run: "records100b",
    target: { atLeast: 400_000 },
  },
  { name: "grpc_produce_batches_mb_s", unit: "MB/s", run: "batches", target: { atLeast: 180 } },
  {
    name: "grpc_produce_batches_cpu_s_gb",
    unit: "CPU-s/GB",
    run: "batches",
    target: { atMost: 8 },
  },
  { name: "grpc_consume_tail_mb_s", unit: "MB/s", run: "consume", target: { atLeast: 300 } },
  { name: "grpc_consume_tail_records_mb_s", unit: "MB/s", run: "consume" },
  { name: "grpc_consume_cold_mb_s", unit: "MB/s", run: "consume", target: { atLeast: 300 } },
  { name: "grpc_consume_cold_records_mb_s", unit: "MB/s", run: "consume" },
  { name: "grpc_consume_cpu_s_gb", unit: "CPU-s/GB", run: "consume", target: { atMost: 2.5 } },
  { name: "produce_p50_ms", unit: "ms", run: "latency", target: { atMost: 3 } },
  { name: "produce_p99_ms", unit: "ms", run: "latency", target: { atMost: 15 } },
  { name: "e2e_p50_ms", unit: "ms", run: "latency", target: { atMost: 4 } },
  { name: "e2e_p99_ms", unit: "ms", run: "latency", target: { atMost: 20 } },
  { name: "partitions_1000_ratio", unit: "ratio", run: "partitions", target: { atLeast: 0.8 } },
  { name: "partitions_1000_spread_ratio", unit: "ratio", run: "partitions" },
  {
    name: "partitions_1000_idle_cpu",
    unit: "% of a core",
    run: "partitions",
    target: { atMost: 10 },
  },
  { name: "partitions_1000_create_s", unit: "s", run: "partitions", target: { atMost: 3 } },
  { name: "partitions_1000_failover_s", unit: "s", run: "partitions", target: { atMost: 2 } },
  { name: "loaded_rss_mb", unit: "MB", run: "memory", target: { atMost: 400 } },
  { name: "failover_p50_s", unit: "s", run: "failover", target: { below: 1 } },
  { name: "failover_p99_s", unit: "s", run: "failover", target: { below: 3 } },
];

/** Whether a value reaches its target. A value that is none never does. */
export function meets(target, value) {
  if (target.atLeast !== undefined) return value >= target.atLeast;
  if (target.atMost !== undefined) return value <= target.atMost;
  return value < target.below;
}

export function targetText(target) {
  if (target.atLeast !== undefined) return `>= ${target.atLeast}`;
  if (target.atMost !== undefined) return `<= ${target.atMost}`;
  return `< ${target.below}`;
}

/** Three digits are more than such a machine can repeat. */
export function rounded(value) {
  return Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}
