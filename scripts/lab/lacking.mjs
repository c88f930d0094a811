/** Thrown for what this machine, this version of Node or this cluster lacks: a reason to skip. */
export class Lacking extends Error {}
