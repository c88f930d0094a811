/** Errors as Node's file system makes them: callers look at `code`. */

export type IoErrorCode =
  | "EBADF"
  | "EBUSY"
  | "EIO"
  | "EISDIR"
  | "EINVAL"
  | "ENOENT"
  | "ENOSPC"
  | "ENOTDIR"
  | "ENOTEMPTY";

const TEXTS: Readonly<Record<IoErrorCode, string>> = {
  EBADF: "bad file descriptor",
  EBUSY: "resource busy or locked",
  EIO: "i/o error",
  EISDIR: "illegal operation on a directory",
  EINVAL: "invalid argument",
  ENOENT: "no such file or directory",
  ENOSPC: "no space left on device",
  ENOTDIR: "not a directory",
  ENOTEMPTY: "directory not empty",
};

export function ioError(code: IoErrorCode, operation: string, path: string): Error {
  const error = new Error(`${code}: ${TEXTS[code]}, ${operation} '${path}'`);
  return Object.assign(error, { code, syscall: operation, path });
}
