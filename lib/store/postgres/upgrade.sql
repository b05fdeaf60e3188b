-- From version 1 or 2 to 3. It goes on with functions.sql, so all functions go but those that tables need.

-- Writers end first.
SELECT FROM newest FOR UPDATE;

CREATE TABLE IF NOT EXISTS stored_file (
	picture bigint NOT NULL REFERENCES picture (id) ON DELETE CASCADE,
	number integer NOT NULL,
	data bytea NOT NULL,
	PRIMARY KEY (picture, number)
);
ALTER TABLE stored_file ALTER COLUMN data SET STORAGE EXTERNAL;

CREATE TABLE region (id bigint PRIMARY KEY, data bytea NOT NULL);
CREATE TABLE region_next (id bigint PRIMARY KEY, data bytea NOT NULL);
ALTER TABLE region ALTER COLUMN data SET STORAGE EXTERNAL;
ALTER TABLE region_next ALTER COLUMN data SET STORAGE EXTERNAL;
INSERT INTO tally VALUES (105, 0), (106, 0) ON CONFLICT DO NOTHING;

DO $$
DECLARE
	t record;
BEGIN
	FOR t IN SELECT a.privilege_type AS privilege, CASE WHEN a.grantee = 0 THEN 'public'
			ELSE a.grantee::regrole::text END AS role
			FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = 'signature'::regclass LOOP
		EXECUTE format('GRANT %s ON stored_file, region, region_next TO %s', t.privilege, t.role);
	END LOOP;
	FOR t IN SELECT tgname AS name FROM pg_trigger
			WHERE tgrelid = 'feature'::regclass AND tgname LIKE 'compare\_%' LOOP
		EXECUTE format('DROP TRIGGER %I ON feature', t.name);
	END LOOP;
	FOR t IN SELECT p.oid::regprocedure AS name FROM pg_proc p
			WHERE p.pronamespace = current_schema()::regnamespace AND p.proname LIKE 'ims\_%'
				AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.refclassid = 'pg_proc'::regclass
					AND d.refobjid = p.oid AND d.deptype = 'n') LOOP
		EXECUTE format('DROP FUNCTION %s', t.name);
	END LOOP;
END $$;

ALTER TYPE ims_record ADD ATTRIBUTE regions bytea;

UPDATE setting SET data = '3' WHERE name = 'version';
