"""PostgreSQL 15 with the same documents as jsonb, answering the same question."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from processes import free_port, wait_for_port

BINARIES = pathlib.Path("/usr/lib/postgresql/15/bin")

JOINED = """
SELECT json_agg(json_strip_nulls(json_build_object(
         'id', v.doc->'id', 'name', v.doc->'name',
         '@cluster.name', c.doc->'name', '@cluster.@data_center.name', d.doc->'name'))
       ORDER BY v.n)::text
FROM vm v
LEFT JOIN cluster c ON c.doc->>'id' = v.doc->>'cluster'
LEFT JOIN data_center d ON d.doc->>'id' = c.doc->>'data_center'
"""


class PostgreSQL:
    """A cluster of its own in a temporary directory, as the user postgres when we are root."""

    def __init__(self):
        import psycopg2

        self.directory = tempfile.mkdtemp(prefix="doctor-bench-postgresql-")
        os.chmod(self.directory, 0o755)
        self.port = free_port()
        data = f"{self.directory}/data"
        if os.geteuid() == 0:
            shutil.chown(self.directory, "postgres")
        self._run("initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8")
        options = f"-p {self.port} -k {self.directory} -c listen_addresses=127.0.0.1 -c shared_buffers=512MB -c work_mem=256MB"
        self._run("pg_ctl", "-D", data, "-o", options, "-l", f"{self.directory}/log", "-w", "start")
        wait_for_port(self.port)
        self.connection = psycopg2.connect(host="127.0.0.1", port=self.port, user="postgres", dbname="postgres")
        self.connection.autocommit = True
        self.cursor = self.connection.cursor()

    def load(self, collections):
        from data import compact

        for collection, documents in collections:
            self.cursor.execute(f"CREATE TABLE {collection} (n bigserial PRIMARY KEY, doc jsonb NOT NULL)")
            self.cursor.executemany(
                f"INSERT INTO {collection} (doc) VALUES (%s)", [(compact(d),) for d in documents]
            )
            self.cursor.execute(f"CREATE INDEX ON {collection} ((doc->>'id'))")
        self.cursor.execute("CREATE INDEX ON vm ((doc->>'cluster'))")
        self.cursor.execute("CREATE INDEX ON cluster ((doc->>'data_center'))")
        self.cursor.execute("VACUUM ANALYZE")
        self.cursor.execute("PREPARE joined AS " + JOINED)

    def joined(self):
        started = time.perf_counter()
        self.cursor.execute("EXECUTE joined")
        text = self.cursor.fetchone()[0]
        return time.perf_counter() - started, text

    def stop(self):
        self.connection.close()
        self._run("pg_ctl", "-D", f"{self.directory}/data", "-m", "fast", "stop")
        shutil.rmtree(self.directory, ignore_errors=True)

    def _run(self, program, *arguments):
        command = [str(BINARIES / program), *arguments]
        if os.geteuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")
