/** Where the fields of a record batch (format version 2) are, and what its attributes mean. */

/** Positions of the header's fields, from the start of the batch. */
export const BASE_OFFSET_AT = 0;
export const BATCH_LENGTH_AT = 8;
export const LEADER_EPOCH_AT = 12;
export const MAGIC_AT = 16;
export const CRC_AT = 17;
export const ATTRIBUTES_AT = 21;
export const LAST_OFFSET_DELTA_AT = 23;
export const BASE_TIMESTAMP_AT = 27;
export const MAX_TIMESTAMP_AT = 35;
export const PRODUCER_ID_AT = 43;
export const PRODUCER_EPOCH_AT = 51;
export const BASE_SEQUENCE_AT = 53;
export const RECORD_COUNT_AT = 57;

/** Bytes before the first record. */
export const BATCH_HEADER_BYTES = 61;

/** Bytes that the batch length does not count: the base offset and itself. */
export const BATCH_PREFIX_BYTES = 12;

/** First byte under the checksum. What a broker stamps, base offset and leader epoch, is before. */
export const CHECKED_FROM = ATTRIBUTES_AT;

/** The only format version there is here. */
export const MAGIC_V2 = 2;

/** Attributes: the compression's id. */
export const COMPRESSION_MASK = 0x07;
/** Attributes: timestamps are the broker's, and the batch's maximum is that of each record. */
export const LOG_APPEND_TIME_BIT = 0x08;
export const TRANSACTIONAL_BIT = 0x10;
/** Attributes: the records are markers of the cluster, not a client's data. */
export const CONTROL_BIT = 0x20;
/** Attributes: the base timestamp is when a compaction may drop this batch's tombstones. */
export const DELETE_HORIZON_BIT = 0x40;

/** Sequences go on at 0 after this. */
export const SEQUENCE_MAX = 0x7fff_ffff;
