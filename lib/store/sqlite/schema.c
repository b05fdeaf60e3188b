/*
 * The schema as SQL text. docs/storage.md describes every table.
 *
 * A step is the SQL that makes a version from the one before. A new file runs all steps, an older
 * one those that it lacks, in one transaction. To change the schema, raise IMS_STORE_VERSION and
 * append a step. A step that was released is never edited.
 */
#include "store/sqlite/schema.h"
#include "store/sqlite/sql.h"

static const char version_1[] =
	"CREATE TABLE setting(name TEXT PRIMARY KEY, data BLOB NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE model(id INTEGER PRIMARY KEY AUTOINCREMENT, next INTEGER NOT NULL UNIQUE"
	" CHECK(next IN (0, 1)),"
	" name TEXT NOT NULL, weights TEXT, weights_hash TEXT, recipe TEXT, dim INTEGER NOT NULL,"
	" precision INTEGER NOT NULL) STRICT;"
	"CREATE TABLE root(id INTEGER PRIMARY KEY AUTOINCREMENT, path BLOB NOT NULL UNIQUE, inside"
	" TEXT) STRICT;"
	"INSERT INTO root(id, path) VALUES(0, x'');"
	"CREATE TABLE picture(id INTEGER PRIMARY KEY AUTOINCREMENT, root INTEGER NOT NULL REFERENCES"
	" root(id),"
	" path BLOB NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, state INTEGER NOT"
	" NULL CHECK(state BETWEEN 1 AND 7),"
	" reason TEXT, width INTEGER NOT NULL, height INTEGER NOT NULL, hash BLOB CHECK(length(hash)"
	" = 32),"
	" same_as INTEGER REFERENCES picture(id), UNIQUE(root, path)) STRICT;"
	"CREATE INDEX picture_hash ON picture(hash) WHERE hash IS NOT NULL;"
	"CREATE INDEX picture_size ON picture(size);"
	"CREATE INDEX picture_twin ON picture(same_as) WHERE same_as IS NOT NULL;"
	"CREATE TABLE vector(id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;"
	"CREATE TABLE vector_next(id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;"
	"CREATE TABLE cell(picture INTEGER NOT NULL REFERENCES picture(id) ON DELETE CASCADE, number"
	" INTEGER NOT NULL,"
	" name TEXT NOT NULL, value TEXT NOT NULL, title INTEGER NOT NULL, PRIMARY KEY(picture,"
	" number)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE searcher(state INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, published"
	" INTEGER NOT NULL,"
	" params TEXT, version INTEGER NOT NULL, rows INTEGER NOT NULL, change INTEGER NOT NULL)"
	" STRICT;"
	"CREATE TABLE searcher_chunk(state INTEGER NOT NULL REFERENCES searcher(state) ON DELETE"
	" CASCADE,"
	" number INTEGER NOT NULL, checksum INTEGER NOT NULL, data BLOB NOT NULL, UNIQUE(state,"
	" number)) STRICT;"
	"CREATE TABLE change(number INTEGER PRIMARY KEY AUTOINCREMENT, id INTEGER NOT NULL) STRICT;"
	"INSERT INTO sqlite_sequence(name, seq) VALUES('picture', 0), ('change', 0);"
	"CREATE TABLE tally(what INTEGER PRIMARY KEY, n INTEGER NOT NULL) STRICT;"
	"INSERT INTO tally(what, n) VALUES(1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (6, 0), (7, 0), (8,"
	" 0), (9, 0);"
	"CREATE TABLE rejected(a BLOB NOT NULL CHECK(length(a) = 32), b BLOB NOT NULL CHECK(length(b)"
	" = 32),"
	" PRIMARY KEY(a, b), CHECK(a <= b)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE signature(picture INTEGER PRIMARY KEY REFERENCES picture(id) ON DELETE CASCADE,"
	" hash BLOB NOT NULL CHECK(length(hash) = 32), data BLOB NOT NULL) STRICT;";

/*
 * Times exact for every year, room for more states of pictures, vectors of pictures that were
 * deleted on purpose. The rows of pictures are copied, those of other tables stay where they are.
 * Foreign keys are not enforced meanwhile, so that nothing that refers to a picture goes with the
 * old table. Sequence -1: no number was ever given, not even 0.
 */
static const char version_2[] =
	"CREATE TABLE picture_2(id INTEGER PRIMARY KEY AUTOINCREMENT, root INTEGER NOT NULL REFERENCES"
	" root(id),"
	" path BLOB NOT NULL, size INTEGER NOT NULL, mtime_seconds INTEGER NOT NULL,"
	" mtime_nanoseconds INTEGER NOT NULL CHECK(mtime_nanoseconds BETWEEN 0 AND 999999999),"
	" state INTEGER NOT NULL CHECK(state BETWEEN 1 AND 99),"
	" reason TEXT, width INTEGER NOT NULL, height INTEGER NOT NULL, hash BLOB CHECK(length(hash)"
	" = 32),"
	" same_as INTEGER REFERENCES picture(id), UNIQUE(root, path)) STRICT;"
	"INSERT INTO picture_2 SELECT id, root, path, size,"
	" mtime_ns / 1000000000 - (mtime_ns % 1000000000 < 0),"
	" (mtime_ns % 1000000000 + 1000000000) % 1000000000,"
	" state, reason, width, height, hash, same_as FROM picture ORDER BY id;"
	"DELETE FROM sqlite_sequence WHERE name = 'picture_2';"
	"INSERT INTO sqlite_sequence(name, seq) SELECT 'picture_2', CASE WHEN seq = 0 AND NOT"
	" EXISTS(SELECT 1 FROM vector WHERE id = 0) THEN -1 ELSE seq END FROM sqlite_sequence WHERE"
	" name = 'picture';"
	"DROP TABLE picture;"
	"ALTER TABLE picture_2 RENAME TO picture;"
	"CREATE INDEX picture_hash ON picture(hash) WHERE hash IS NOT NULL;"
	"CREATE INDEX picture_size ON picture(size);"
	"CREATE INDEX picture_twin ON picture(same_as) WHERE same_as IS NOT NULL;"
	"CREATE TABLE vector_kept(id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;"
	"UPDATE tally SET what = 101 WHERE what = 8;"
	"UPDATE tally SET what = 102 WHERE what = 9;"
	"INSERT INTO tally(what, n) VALUES(8, 0), (103, 0);";

/*
 * The time of the last change of a file's inode, by which an edit is noticed that kept size and
 * mtime; NULL: not known. The row whose file this path is another name of. What made the pixels of
 * the vector; 0: a version before 0.2. Patterns of what every run over a root leaves out,
 * and of all that it takes in.
 */
static const char version_3[] =
	"ALTER TABLE picture ADD COLUMN ctime_seconds INTEGER;"
	"ALTER TABLE picture ADD COLUMN ctime_nanoseconds INTEGER;"
	"ALTER TABLE picture ADD COLUMN same_file INTEGER REFERENCES picture(id);"
	"ALTER TABLE picture ADD COLUMN pixels INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX picture_unconverted ON picture(id) WHERE pixels & 256;"
	"CREATE INDEX picture_same_file ON picture(same_file) WHERE same_file IS NOT NULL;"
	"CREATE TABLE root_exclude(root INTEGER NOT NULL REFERENCES root(id) ON DELETE CASCADE, number"
	" INTEGER NOT NULL, pattern BLOB NOT NULL, PRIMARY KEY(root, number)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE root_include(root INTEGER NOT NULL REFERENCES root(id) ON DELETE CASCADE, number"
	" INTEGER NOT NULL, pattern BLOB NOT NULL, PRIMARY KEY(root, number)) STRICT, WITHOUT ROWID;";

/*
 * Folders of a root of which something is remembered: that runs follow links or read formats there,
 * that they were roots themselves. What pictures say of themselves; sidecars: a number for the
 * state of the files beside them.
 */
static const char version_4[] =
	"CREATE TABLE root_folder(root INTEGER NOT NULL REFERENCES root(id) ON DELETE CASCADE, what "
	"TEXT"
	" NOT NULL, number INTEGER NOT NULL, path BLOB NOT NULL, PRIMARY KEY(root, what, number))"
	" STRICT, WITHOUT ROWID;"
	"CREATE TABLE fact(picture INTEGER PRIMARY KEY REFERENCES picture(id) ON DELETE CASCADE,"
	" version INTEGER NOT NULL, sidecars INTEGER NOT NULL, date TEXT, zone TEXT, date_from TEXT,"
	" camera TEXT, lens TEXT, latitude TEXT, longitude TEXT, rating TEXT, keywords TEXT, title"
	" TEXT, description TEXT) STRICT;"
	"CREATE INDEX fact_date ON fact(date) WHERE date IS NOT NULL;";

const char *const ims_sqlite_steps[IMS_STORE_VERSION] = { version_1, version_2, version_3,
	version_4 };

/* What a step adds, as it is where nothing was stored in it yet. */
#define EMPTY_LIST(name) \
	"CREATE TEMP VIEW " name " AS SELECT id AS root, 0 AS number, path AS pattern FROM" \
	" main.root WHERE 0;"
#define NO_FACTS \
	"CREATE TEMP VIEW fact AS SELECT id AS picture, 0 AS version, 0 AS sidecars, NULL AS date," \
	" NULL AS zone, NULL AS date_from, NULL AS camera, NULL AS lens, NULL AS latitude, NULL AS" \
	" longitude, NULL AS rating, NULL AS keywords, NULL AS title, NULL AS description" \
	" FROM main.picture WHERE 0;"
#define NO_FOLDERS \
	"CREATE TEMP VIEW root_folder AS SELECT id AS root, '' AS what, 0 AS number, path FROM" \
	" main.root WHERE 0;"
#define VIEWS_4 NO_FOLDERS NO_FACTS
#define VIEWS_3 EMPTY_LIST("root_exclude") EMPTY_LIST("root_include") VIEWS_4
#define COLUMNS_3 \
	", NULL AS ctime_seconds, NULL AS ctime_nanoseconds, NULL AS same_file, 0 AS pixels"

/*
 * What the steps after a version make of each table. The names of tables are looked up among the
 * views first.
 */
static const char views_1[] =
	"CREATE TEMP VIEW picture AS SELECT id, root, path, size,"
	" mtime_ns / 1000000000 - (mtime_ns % 1000000000 < 0) AS mtime_seconds,"
	" (mtime_ns % 1000000000 + 1000000000) % 1000000000 AS mtime_nanoseconds,"
	" state, reason, width, height, hash, same_as" COLUMNS_3 " FROM main.picture;"
	"CREATE TEMP VIEW vector_kept AS SELECT id, data FROM main.vector WHERE 0;"
	"CREATE TEMP VIEW tally AS SELECT CASE what WHEN 8 THEN 101 WHEN 9 THEN 102 ELSE what END AS"
	" what, n FROM main.tally UNION ALL VALUES(8, 0), (103, 0);" VIEWS_3;

static const char views_2[] = "CREATE TEMP VIEW picture AS SELECT *" COLUMNS_3
							  " FROM main.picture;" VIEWS_3;

static const char views_3[] = VIEWS_4;

const char *const ims_sqlite_views[IMS_STORE_VERSION - 1] = { views_1, views_2, views_3 };

/* The smallest page that wastes at most 7 % when full of rows of one vector, else the best one. */
uint32_t ims_sqlite_page_size(uint32_t dim)
{
	if (!dim)
		return 16384;
	uint64_t cell = 4 * (uint64_t)dim
		+ 16; /* and 13 to 16 bytes: payload length, rowid, record header, cell pointer */
	uint32_t best = 65536;
	double best_waste = 1;
	for (uint32_t page = 4096; page <= 65536; page *= 2) {
		uint64_t rows = (page - 8) / cell;
		double waste = 1 - (double)(rows * cell) / page;
		if (waste < best_waste) {
			best_waste = waste;
			best = page;
		}
		if (waste <= 0.07)
			break;
	}
	return best;
}

int ims_sqlite_upgrade(conn *c, const char *const *steps, int64_t version, imgsearch_error *err)
{
	char *version_text = ims_format("PRAGMA user_version=%d; PRAGMA application_id=%d",
		(int)version, STORE_APPLICATION_ID);
	if (!version_text)
		return ims_nomem(err);
	int64_t have = 0;
	/* Steps make tables anew, which takes place outside of foreign keys and of views on them. */
	int rc = ims_sqlite_exec(c, "PRAGMA foreign_keys=OFF; PRAGMA legacy_alter_table=ON", err);
	if (!rc)
		rc = ims_sqlite_exec(c, "BEGIN IMMEDIATE", err);
	if (!rc)
		rc = ims_sqlite_number(c, &have, 0, err, "PRAGMA user_version", "");
	for (; !rc && have < version; have++)
		rc = ims_sqlite_exec(c, steps[have], err);
	if (!rc)
		rc = ims_sqlite_exec(c, version_text, err);
	if (!rc)
		rc = ims_sqlite_file_id_put(c, false, err);
	if (!rc)
		rc = ims_sqlite_exec(c, "COMMIT", err);
	if (rc && !sqlite3_get_autocommit(c->db))
		sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
	ims_free(version_text);
	static const char restore[] = "PRAGMA foreign_keys=ON; PRAGMA legacy_alter_table=OFF";
	int restored = ims_sqlite_exec(c, restore, rc ? NULL : err);
	return rc ? rc : restored;
}
