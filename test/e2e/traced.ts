import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, normalize } from "node:path";

/** Whether `strace` is here; where it is not, and apt-get may install, it is installed. */
export function hasStrace(): boolean {
  const isHere = (): boolean => spawnSync("strace", ["-V"]).status === 0;
  if (isHere()) return true;
  const options = { stdio: "ignore", env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } } as const;
  const install = (): boolean => spawnSync("apt-get", ["install", "-y", "strace"], options).status === 0;
  if (!install() && spawnSync("apt-get", ["update"], options).status === 0) install();
  return isHere();
}

/** What a program is started with so that its system calls are written to `file`. Libuv's io_uring, which no trace shows, has to be off. */
export function traceInto(file: string): readonly string[] {
  return ["strace", "-f", "-qq", "-y", "-s", "4096", "-e", "trace=%file,%desc,%network,%process", "-o", file];
}

export const traceable = { UV_USE_IO_URING: "0" };

const changing =
  /^(creat|mkdir|mkdirat|mknod|mknodat|unlink|unlinkat|rmdir|rename|renameat|renameat2|link|linkat|symlink|symlinkat|chmod|fchmod|fchmodat|fchmodat2|chown|fchown|lchown|fchownat|truncate|ftruncate|utime|utimes|utimensat|futimesat|setxattr|lsetxattr|fsetxattr|removexattr|mount)$/;

/** Asked by libc about users, and where addresses of this machine are read. Nobody outside of it hears of it. */
const ownLookups = /nscd\/socket|AF_NETLINK/;

/**
 * What a traced program did beyond reading, one line each: files opened for writing or changed (caches apart), connections,
 * sockets that listen, programs and processes started (threads are none). Attempts that failed count as well.
 */
export function deedsIn(file: string, isCache: (path: string) => boolean): string[] {
  let hasBegun = false;
  const deeds: string[] = [];
  for (const { name, text } of callsOf(readFileSync(file, "utf8"))) {
    if (/^(execve|execveat)$/.test(name)) {
      if (hasBegun) deeds.push(text);
      hasBegun = true;
    }
    if (/^(fork|vfork|clone|clone3)$/.test(name) && !text.includes("CLONE_THREAD")) deeds.push(text);
    if (/^(connect|bind|listen)$/.test(name) && !ownLookups.test(text)) deeds.push(text);
    const isOpen = /^(open|openat|openat2)$/.test(name) && /O_(WRONLY|RDWR|CREAT|TRUNC|APPEND|TMPFILE)/.test(text);
    if (!isOpen && !changing.test(name)) continue;
    const paths = pathsOf(text).filter((path) => path !== "/dev/null" && path !== "/dev/tty");
    if (paths.some((path) => !isCache(path))) deeds.push(text);
  }
  if (!hasBegun) throw new Error(`no program was traced into ${file}`);
  return deeds;
}

/** A call that another thread interrupted is two lines: the first one has its arguments. */
function callsOf(trace: string): { name: string; text: string }[] {
  return trace.split("\n").flatMap((line) => {
    const [, text = "", name] = /^\d+\s+((\w+)\(.*)$/.exec(line) ?? [];
    return name === undefined ? [] : [{ name, text }];
  });
}

/** Absolute paths that a call names: quoted ones, from the folder before them; of a call by descriptor what that one stands for. */
function pathsOf(text: string): string[] {
  const named = [...text.matchAll(/(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"((?:[^"\\]|\\.)*)"/g)];
  if (named.length > 0)
    return named.map(([, folder = "/", path = ""]) => normalize(path.startsWith("/") ? path : join(folder, path)));
  return [...text.matchAll(/\(\d+<([^>]*)>/g)].map(([, path = ""]) => path);
}
