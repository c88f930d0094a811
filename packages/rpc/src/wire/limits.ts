/**
 * Elements of lists and maps that one message may hold, all its lists together. An element can be
 * two bytes on the wire and a hundred in memory: without a bound of their own, a message within
 * the size limit would unpack into gigabytes.
 */
export const MESSAGE_ELEMENTS_MAX = 1_000_000;

/** Groups (a form that proto3 no longer writes) inside each other, in a field to be skipped. */
export const GROUP_DEPTH_MAX = 32;
