import { chmodSync, chownSync, cpSync, globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { addBusybox, addProgram, unpack } from "./image-parts.ts";

/** Debian 12's, and libraries that a bare machine lacks. */
const packages =
  "postgresql-15 postgresql-client-15 libpq5 libicu72 libxml2 libldap-2.5-0 libsasl2-2 libgssapi-krb5-2 libkrb5-3 libk5crypto3 libkrb5support0 libkeyutils1 libreadline8".split(
    " ",
  );
const programs = ["postgres", "initdb", "pg_ctl", "psql", "pg_isready", "pg_dump", "createdb"];
const home = "usr/lib/postgresql/15";
const uid = 999;

/** As of the official image: what runs, and where its data is. */
export const postgresSettings: readonly string[] = [
  `ENV PATH=/${home}/bin:/usr/local/bin:/bin`,
  "ENV PGDATA=/var/lib/postgresql/data",
  `ENTRYPOINT ["docker-entrypoint.sh"]`,
  `CMD ["postgres"]`,
  "EXPOSE 5432",
  "VOLUME /var/lib/postgresql/data",
];

/**
 * What people know of the official image: POSTGRES_PASSWORD, _USER and _DB at the first start, then the server as its own user. Nothing waits
 * for the disk, which many tests share: no test asks what a machine without power leaves.
 */
const entrypoint = `#!/bin/sh
set -e
case "$1" in -*) set -- postgres "$@" ;; esac
if [ "$1" != postgres ]; then exec "$@"; fi
if [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA"
  chown -R postgres:postgres "$PGDATA"
  chmod 700 "$PGDATA"
  exec /usr/local/bin/setpriv --reuid=${uid} --regid=${uid} --clear-groups "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  : "\${POSTGRES_PASSWORD:?POSTGRES_PASSWORD has to be set at the first start}"
  user="\${POSTGRES_USER:-postgres}"
  name="\${POSTGRES_DB:-$user}"
  printf '%s\n' "$POSTGRES_PASSWORD" > /tmp/password
  initdb -D "$PGDATA" -U "$user" --pwfile=/tmp/password --auth=trust --locale=C --encoding=UTF8 --no-sync
  rm /tmp/password
  echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
  pg_ctl -D "$PGDATA" -o "-c listen_addresses='' -c fsync=off" -w start
  if [ "$name" != postgres ]; then createdb -U "$user" "$name"; fi
  pg_ctl -D "$PGDATA" -m fast -w stop
fi
exec "$@" -c listen_addresses='*' -c fsync=off
`;

/** A stand-in for the official image of PostgreSQL, made of Debian's packages. */
export function addPostgres(folder: string): void {
  const work = mkdtempSync(join(tmpdir(), "ctrlplane-postgres-"));
  try {
    const unpacked = unpack(work, packages);
    const libraries = globSync("usr/lib/*-linux-gnu", { cwd: unpacked }).map((each) => join(unpacked, each));
    addBusybox(folder);
    for (const each of [`${home}/bin`, `${home}/lib`, "usr/share", "usr/bin"])
      mkdirSync(join(folder, each), { recursive: true });
    for (const each of programs)
      addProgram(folder, join(unpacked, home, "bin", each), `/${home}/bin/${each}`, libraries);
    addProgram(folder, "/usr/bin/setpriv", "/usr/local/bin/setpriv");
    // Without the compiler of queries, which is as large as all the rest.
    for (const each of globSync(`${home}/lib/*.so`, { cwd: unpacked })) {
      if (!basename(each).startsWith("llvmjit")) cpSync(join(unpacked, each), join(folder, each));
    }
    cpSync(join(unpacked, "usr/share/postgresql"), join(folder, "usr/share/postgresql"), { recursive: true });
    addUser(folder);
    writeFileSync(join(folder, "usr/local/bin/docker-entrypoint.sh"), entrypoint);
    chmodSync(join(folder, "usr/local/bin/docker-entrypoint.sh"), 0o755);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function addUser(folder: string): void {
  const lines = ["root:x:0:0:root:/:/bin/sh", `postgres:x:${uid}:${uid}::/var/lib/postgresql:/bin/sh`];
  writeFileSync(join(folder, "etc/passwd"), `${lines.join("\n")}\n`);
  writeFileSync(join(folder, "etc/group"), `root:x:0:\npostgres:x:${uid}:\n`);
  chmodSync(join(folder, "tmp"), 0o1777);
  // The server is looked for at this socket.
  for (const each of ["var/run/postgresql", "var/lib/postgresql/data"]) {
    mkdirSync(join(folder, each), { recursive: true });
    chownSync(join(folder, each), uid, uid);
  }
}
