-- The functions of an index in PostgreSQL. They are made together, behind the tables of schema.sql or
-- in place of those of an older version.
--
-- What an operation decides (which of equal pictures is indexed, what its duplicate inherits) is
-- decided here, by functions that take arrays: one round trip for many pictures. They do what
-- lib/store/sqlite does, in the same order; one set of tests runs over both.
--
-- Writers take turns: ims_begin locks the one row of `newest` until the transaction ends. So
-- changes are numbered in the order in which they are committed: a reader that sees a change sees
-- all those of smaller numbers. (That is more than to read below pg_snapshot_xmin, and needs
-- nothing of the reader.)

-- --------------------------------------------------------------------------- many writers ----

-- How long a program may be silent: between two signs of life of its work, and within a transaction,
-- in which others wait for it. 60 seconds, or what the setting 'lease' says.
CREATE FUNCTION ims_lease_time() RETURNS interval LANGUAGE sql STABLE AS $$
	SELECT make_interval(secs => coalesce(
		(SELECT encode(data, 'escape')::float8 FROM setting WHERE name = 'lease'), 60))
$$;

-- Deletes work that has ended by itself. One whose program writes at this moment is passed over.
CREATE FUNCTION ims_end_dead() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	dead bigint[] := ARRAY(SELECT id FROM lease WHERE ends < clock_timestamp()
		FOR UPDATE SKIP LOCKED);
BEGIN
	IF cardinality(dead) > 0 THEN
		DELETE FROM claim WHERE lease = ANY (dead);
		DELETE FROM lease WHERE id = ANY (dead);
	END IF;
END $$;

-- Ends work whose processes are known to be dead.
CREATE FUNCTION ims_end_killed(killed bigint[]) RETURNS void LANGUAGE sql AS $$
	UPDATE lease SET ends = '-infinity'
		WHERE id IN (SELECT id FROM lease WHERE id = ANY (killed) FOR UPDATE SKIP LOCKED)
$$;

-- The fencing number of new work. One builds at a time.
CREATE FUNCTION ims_begin_work(which text, who text, at text, number bigint)
	RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	began bigint;
BEGIN
	PERFORM ims_end_dead();
	INSERT INTO lease (work, holder, place, process, ends, model, next_model)
		SELECT which, who, at, number, clock_timestamp() + ims_lease_time(),
			(SELECT id FROM model WHERE next = 0), (SELECT id FROM model WHERE next = 1)
		ON CONFLICT DO NOTHING RETURNING id INTO began;
	IF began IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'IM009', MESSAGE = 0, DETAIL =
			coalesce((SELECT holder FROM lease WHERE work = which), 'another program');
	END IF;
	RETURN began;
END $$;

CREATE FUNCTION ims_end_work(mine bigint) RETURNS void LANGUAGE sql AS $$
	DELETE FROM claim WHERE lease = mine;
	DELETE FROM lease WHERE id = mine
$$;

-- A sign of life. A transaction of the work itself is one, too, so it is not waited for.
CREATE FUNCTION ims_renew(mine bigint) RETURNS void LANGUAGE sql AS $$
	UPDATE lease SET ends = clock_timestamp() + ims_lease_time()
		WHERE id = (SELECT id FROM lease WHERE id = mine FOR UPDATE SKIP LOCKED)
$$;

-- Refuses work that has ended, or whose model was replaced by another program. Until the
-- transaction ends nobody else can end it. Whether its next model is the current one now.
CREATE FUNCTION ims_hold(mine bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	l lease;
	now_model bigint := (SELECT id FROM model WHERE next = 0);
	now_next bigint := (SELECT id FROM model WHERE next = 1);
BEGIN
	UPDATE lease SET ends = clock_timestamp() + ims_lease_time() WHERE id = mine RETURNING * INTO l;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'IM007', MESSAGE = mine;
	ELSIF now_model = l.next_model THEN
		RETURN true;
	ELSIF now_model IS DISTINCT FROM l.model
			OR (l.next_model IS NOT NULL AND now_next IS DISTINCT FROM l.next_model) THEN
		RAISE EXCEPTION USING ERRCODE = 'IM008', MESSAGE = mine;
	END IF;
	RETURN false;
END $$;

-- Begins a transaction that writes, of work or of none (0). A program that is killed, or whose
-- network vanishes, loses its turn after a while. All settings are those of the transaction alone, so
-- that a pooler may stand before the server.
CREATE FUNCTION ims_begin(mine bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	silence text := (extract(epoch FROM ims_lease_time()) * 1000)::bigint;
	switched boolean := false;
BEGIN
	PERFORM set_config('idle_in_transaction_session_timeout', silence, true),
		set_config('tcp_user_timeout', silence, true);
	PERFORM FROM newest FOR UPDATE;
	IF mine > 0 THEN
		switched := ims_hold(mine);
	END IF;
	PERFORM set_config('imgsearch.work', mine::text, true),
		set_config('imgsearch.switched', switched::text, true);
END $$;

-- Claims files for a run, those that no other one has; `ours` says which. Nobody is waited for.
-- Each comes with its row as it is now, with the version and sidecars of its facts, and with
-- whether its vector is there, where the index keeps regions with them.
CREATE FUNCTION ims_claim(mine bigint, roots bigint[], paths bytea[], of_next boolean)
	RETURNS TABLE (number bigint, ours boolean, p picture, version bigint, sidecars bigint,
		has_vector boolean)
	LANGUAGE plpgsql AS $$
DECLARE
	regions boolean := EXISTS (SELECT FROM setting
		WHERE name = 'regions' AND data <> '\x00000000');
BEGIN
	PERFORM ims_hold(mine), ims_end_dead();
	INSERT INTO claim SELECT k.root, k.path, mine FROM unnest(roots, paths) AS k (root, path)
		WHERE NOT EXISTS (SELECT FROM claim c WHERE c.root = k.root AND c.path = k.path)
		ORDER BY k.root, k.path ON CONFLICT DO NOTHING;
	RETURN QUERY SELECT k.number, coalesce(c.lease = mine, false), q, f.version, f.sidecars,
			CASE WHEN of_next AND m.id IS NULL
				THEN EXISTS (SELECT FROM feature_next v WHERE v.id = q.id)
				ELSE EXISTS (SELECT FROM feature v WHERE v.id = q.id)
					AND (NOT regions OR EXISTS (SELECT FROM region v WHERE v.id = q.id)) END
		FROM ROWS FROM (unnest(roots), unnest(paths)) WITH ORDINALITY AS k (root, path, number)
			LEFT JOIN claim c ON c.root = k.root AND c.path = k.path
			LEFT JOIN picture q ON q.root = k.root AND q.path = k.path
			LEFT JOIN fact f ON f.picture = q.id
			LEFT JOIN (model m JOIN lease l ON l.next_model = m.id AND l.id = mine) ON m.next = 0;
END $$;

-- ------------------------------------------------------------------------------- counting ----

-- The largest id that was given; -1: none yet.
CREATE FUNCTION ims_max_id() RETURNS bigint LANGUAGE sql AS
	$$ SELECT CASE WHEN is_called THEN last_value ELSE -1 END FROM item_id $$;

-- No picture gets an id up to this one later. One of the range of another shard is none of ours.
CREATE FUNCTION ims_use_ids(largest bigint) RETURNS void LANGUAGE sql AS $$
	SELECT setval('item_id', largest) WHERE largest > ims_max_id()
		AND largest <= (SELECT seqmax FROM pg_sequence WHERE seqrelid = 'item_id'::regclass)
$$;

-- Those of a copy: the largest id that was given (-1: none yet), the number of the newest change.
CREATE FUNCTION ims_set_counters(largest bigint, newest_change bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM setval('item_id', greatest(largest, 0), largest >= 0);
	UPDATE newest SET change = newest_change;
END $$;

-- A row that one transaction updates again and again becomes slow: all versions stay until its end.
-- So a function that writes many items gathers what they count, and which changed, in settings of
-- the transaction, and writes it once: ims_gather, then ims_gathered.
CREATE FUNCTION ims_gather() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	done text := set_config('imgsearch.gathers', 'on', true);
BEGIN
END $$;

-- What a setting of the transaction holds; ''.
CREATE FUNCTION ims_kept(name text) RETURNS text LANGUAGE sql STABLE AS
	$$ SELECT coalesce(current_setting(name, true), '') $$;

CREATE FUNCTION ims_count(key integer, more bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	name text := 'imgsearch.count_' || key;
	done text;
BEGIN
	IF ims_kept('imgsearch.gathers') = 'on' THEN
		done := set_config(name, (coalesce(nullif(ims_kept(name), '')::bigint, 0) + more)::text, true);
	ELSIF more <> 0 THEN
		UPDATE tally SET n = n + more WHERE what = key;
	END IF;
END $$;

-- The vectors of these items changed. Without a searcher's state only the newest number is raised.
CREATE FUNCTION ims_changed(changed bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	before bigint;
	done text;
BEGIN
	IF cardinality(changed) = 0 THEN
		RETURN;
	ELSIF ims_kept('imgsearch.gathers') = 'on' THEN
		done := set_config('imgsearch.changed', ims_kept('imgsearch.changed')
			|| array_to_string(changed, ',') || ',', true);
	ELSIF EXISTS (SELECT FROM searcher) THEN
		UPDATE newest SET change = change + cardinality(changed)
			RETURNING change - cardinality(changed) INTO before;
		INSERT INTO change
			SELECT before + i, id FROM unnest(changed) WITH ORDINALITY AS c (id, i);
	ELSE
		DELETE FROM change;
		UPDATE newest SET change = change + 1;
	END IF;
END $$;

CREATE FUNCTION ims_gathered() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	key integer;
	done text := set_config('imgsearch.gathers', 'off', true);
BEGIN
	FOREACH key IN ARRAY '{1,2,3,4,5,6,7,8,9,101,102,103,105,106}'::integer[] LOOP
		IF ims_kept('imgsearch.count_' || key) <> '' THEN
			PERFORM ims_count(key, ims_kept('imgsearch.count_' || key)::bigint);
			done := set_config('imgsearch.count_' || key, '', true);
		END IF;
	END LOOP;
	PERFORM ims_changed(string_to_array(rtrim(ims_kept('imgsearch.changed'), ','), ',')::bigint[]);
	done := set_config('imgsearch.changed', '', true);
END $$;

-- ------------------------------------------------------------------------------- vectors ----
-- (a table named vector would hide the type of that name)

-- Regions go with the vector; those of an item that was deleted on purpose stay.
CREATE FUNCTION ims_drop_regions(items bigint[], of_next boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	dropped bigint;
BEGIN
	IF of_next THEN
		DELETE FROM region_next WHERE id = ANY (items);
	ELSE
		DELETE FROM region WHERE id = ANY (items);
	END IF;
	GET DIAGNOSTICS dropped = ROW_COUNT;
	IF dropped > 0 THEN
		PERFORM ims_count(CASE WHEN of_next THEN 106 ELSE 105 END, -dropped);
	END IF;
END $$;

-- Of an item that has a vector; otherwise nothing. Without a new vector it is a change of its own.
CREATE FUNCTION ims_put_regions(item bigint, given bytea, of_next boolean, is_change boolean)
	RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM ims_drop_regions(ARRAY[item], of_next);
	IF of_next THEN
		INSERT INTO region_next SELECT id, given FROM feature_next WHERE id = item;
	ELSE
		INSERT INTO region SELECT id, given FROM feature WHERE id = item;
	END IF;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	PERFORM ims_count(CASE WHEN of_next THEN 106 ELSE 105 END, 1);
	IF is_change AND NOT of_next THEN
		PERFORM ims_changed(ARRAY[item]);
	END IF;
END $$;

-- Deletes all, with the searchers over them and their settings.
CREATE FUNCTION ims_clear_regions() RETURNS void LANGUAGE sql AS $$
	TRUNCATE region, region_next;
	UPDATE tally SET n = 0 WHERE what IN (105, 106);
	DELETE FROM searcher WHERE name LIKE '%.regions';
	DELETE FROM setting WHERE name LIKE '%.regions'
$$;

-- Deletes the vectors of an item alone.
CREATE FUNCTION ims_take_vector(item bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	had boolean;
BEGIN
	DELETE FROM feature WHERE id = item;
	had := FOUND;
	IF had THEN
		PERFORM ims_count(101, -1);
		PERFORM ims_changed(ARRAY[item]);
	END IF;
	DELETE FROM feature_next WHERE id = item;
	IF FOUND THEN
		PERFORM ims_count(102, -1);
	END IF;
	RETURN had;
END $$;

CREATE FUNCTION ims_drop_vector(item bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	PERFORM ims_drop_regions(ARRAY[item], false), ims_drop_regions(ARRAY[item], true);
	RETURN ims_take_vector(item);
END $$;

CREATE FUNCTION ims_put_vector(item bigint, given vector, of_next boolean) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM ims_drop_regions(ARRAY[item], of_next); -- of the old vector
	IF of_next THEN
		UPDATE feature_next SET data = given WHERE id = item;
		IF NOT FOUND THEN
			INSERT INTO feature_next VALUES (item, given);
			PERFORM ims_count(102, 1);
		END IF;
		RETURN;
	END IF;
	UPDATE feature SET data = given WHERE id = item;
	IF NOT FOUND THEN
		INSERT INTO feature VALUES (item, given);
		PERFORM ims_count(101, 1);
	END IF;
	PERFORM ims_changed(ARRAY[item]);
END $$;

-- Whether the vector of an item, which had none, is now that which was kept.
CREATE FUNCTION ims_return_vector(item bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO feature SELECT id, data FROM feature_kept WHERE id = item;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	DELETE FROM feature_kept WHERE id = item;
	PERFORM ims_count(101, 1);
	PERFORM ims_count(103, -1);
	PERFORM ims_changed(ARRAY[item]);
	RETURN true;
END $$;

-- Hides the vector of an item. Whether it had one.
CREATE FUNCTION ims_keep_vector(item bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	had boolean;
BEGIN
	INSERT INTO feature_kept SELECT id, data FROM feature WHERE id = item;
	had := FOUND;
	IF had THEN
		PERFORM ims_count(103, 1);
	END IF;
	PERFORM ims_take_vector(item), ims_drop_regions(ARRAY[item], true);
	RETURN had;
END $$;

-- ----------------------------------------------------------------------- what is handed on ----

-- The first other name of a file is its picture from now on; 0: it has none.
CREATE FUNCTION ims_hand_on_names(item bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	successor bigint;
	was integer;
BEGIN
	SELECT p.id, p.state INTO successor, was FROM picture p JOIN root r ON r.id = p.root
		WHERE p.same_file = item ORDER BY r.path || '/'::bytea, p.path LIMIT 1;
	IF successor IS NULL THEN
		RETURN 0;
	END IF;
	IF was = 9 THEN
		PERFORM ims_count(9, -1);
		PERFORM ims_count(2, 1);
	END IF;
	UPDATE picture SET same_file = nullif(successor, id),
			state = CASE WHEN id = successor AND state = 9 THEN 2 ELSE state END
		WHERE same_file = item;
	RETURN successor;
END $$;

-- The first duplicate of a picture, `successor` where it is one, receives its vector.
CREATE FUNCTION ims_promote(item bigint, successor bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	duplicate bigint;
BEGIN
	SELECT id INTO duplicate FROM picture WHERE same_as = item AND state = 2
		ORDER BY id <> successor, id LIMIT 1;
	IF duplicate IS NULL THEN
		RETURN;
	END IF;
	UPDATE picture SET same_as = duplicate WHERE same_as = item AND id <> duplicate;
	UPDATE picture SET state = 2 WHERE id = item; -- one of them at a time may be indexed
	UPDATE picture p SET state = 1, same_as = NULL, reason = NULL, width = o.width,
			height = o.height, pixels = o.pixels
		FROM picture o WHERE p.id = duplicate AND o.id = item;
	INSERT INTO fact SELECT duplicate, version, sidecars, value FROM fact WHERE picture = item
		ON CONFLICT (picture) DO UPDATE SET version = excluded.version,
			sidecars = excluded.sidecars, value = excluded.value;
	INSERT INTO feature SELECT duplicate, data FROM feature WHERE id = item;
	IF FOUND THEN
		PERFORM ims_count(101, 1);
		PERFORM ims_changed(ARRAY[duplicate]);
	END IF;
	INSERT INTO feature_next SELECT duplicate, data FROM feature_next WHERE id = item;
	IF FOUND THEN
		PERFORM ims_count(102, 1);
	END IF;
	INSERT INTO region SELECT duplicate, data FROM region WHERE id = item;
	IF FOUND THEN
		PERFORM ims_count(105, 1);
	END IF;
	INSERT INTO region_next SELECT duplicate, data FROM region_next WHERE id = item;
	IF FOUND THEN
		PERFORM ims_count(106, 1);
	END IF;
	PERFORM ims_count(2, -1);
	PERFORM ims_count(1, 1);
END $$;

-- The picture is about to go, or to become another one.
CREATE FUNCTION ims_hand_on(item bigint, indexed boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	successor bigint := ims_hand_on_names(item);
BEGIN
	IF indexed THEN
		PERFORM ims_promote(item, successor);
	END IF;
END $$;

-- The first copy of a deleted picture receives its vector and its other copies. Whether the item
-- had a kept vector.
CREATE FUNCTION ims_drop_deleted(item bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	copy bigint := (SELECT min(id) FROM picture WHERE same_as = item AND state = 8);
BEGIN
	IF copy IS NOT NULL THEN
		UPDATE picture SET same_as = copy WHERE same_as = item AND id <> copy;
		UPDATE picture p SET same_as = NULL, reason = 'kept out on purpose', width = o.width,
				height = o.height
			FROM picture o WHERE p.id = copy AND o.id = item;
		UPDATE feature_kept SET id = copy WHERE id = item;
		UPDATE region SET id = copy WHERE id = item;
	END IF;
	DELETE FROM feature_kept WHERE id = item;
	IF FOUND THEN
		PERFORM ims_count(103, -1);
		RETURN true;
	END IF;
	RETURN false;
END $$;

-- False: there is no such item.
CREATE FUNCTION ims_remove_one(item bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	was integer := (SELECT state FROM picture WHERE id = item);
	dropped boolean := false;
BEGIN
	IF was IS NOT NULL THEN
		PERFORM ims_hand_on(item, was = 1);
	END IF;
	IF was IS NULL OR was = 8 THEN
		dropped := ims_drop_deleted(item);
	END IF;
	dropped := ims_drop_vector(item) OR dropped;
	IF was IS NULL THEN
		RETURN dropped;
	END IF;
	PERFORM ims_count(was, -1);
	DELETE FROM picture WHERE id = item;
	RETURN true;
END $$;

-- The first item that is not there; NULL: all were removed.
CREATE FUNCTION ims_remove(items bigint[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	item bigint;
	missing bigint;
BEGIN
	PERFORM ims_gather();
	FOREACH item IN ARRAY items LOOP
		IF NOT ims_remove_one(item) THEN
			missing := item;
			EXIT;
		END IF;
	END LOOP;
	PERFORM ims_gathered();
	RETURN missing;
END $$;

-- ------------------------------------------------------------------------------- records ----

-- Inserts or replaces a row. *r: with its id and state. An error of class IM is one of ours.
CREATE FUNCTION ims_put(INOUT r ims_record) LANGUAGE plpgsql AS $$
DECLARE
	old picture;
	same_bytes boolean;
BEGIN
	SELECT * INTO old FROM picture WHERE root = r.root AND path = r.path
		UNION ALL SELECT * FROM picture WHERE id = r.id AND r.has_id LIMIT 1;
	IF old.id IS NOT NULL AND r.has_id AND old.id <> r.id THEN
		RAISE EXCEPTION USING ERRCODE = 'IM001', MESSAGE = r.id;
	ELSIF old.state = 8 THEN
		RAISE EXCEPTION USING ERRCODE = 'IM002', MESSAGE = old.id;
	END IF;
	same_bytes := old.hash IS NOT NULL AND r.hash IS NOT NULL AND old.hash = r.hash;
	IF old.state = 9 AND r.state = 2 AND same_bytes THEN
		r.state := 9; -- it stays the other name that it was
	END IF;
	IF old.id IS NOT NULL AND (r.state <> old.state OR NOT same_bytes) THEN
		PERFORM ims_hand_on(old.id, old.state = 1);
	END IF;
	IF old.id IS NOT NULL AND NOT same_bytes AND r.root = 0 AND r.state IN (1, 2)
			AND (old.hash IS NOT NULL OR r.hash IS NULL) THEN
		DELETE FROM stored_file WHERE picture = old.id; -- the row has other bytes now
	END IF;
	IF old.id IS NULL THEN
		IF NOT r.has_id THEN
			r.id := nextval('item_id');
		ELSE
			PERFORM ims_use_ids(r.id);
		END IF;
		INSERT INTO picture VALUES (r.id, r.root, r.path, r.size, r.mtime_seconds,
			r.mtime_nanoseconds, r.state, r.reason, r.width, r.height, r.hash, r.same_as,
			r.ctime_seconds, r.ctime_nanoseconds, NULL, r.pixels);
	ELSE
		r.id := old.id;
		UPDATE picture SET root = r.root, path = r.path, size = r.size,
				mtime_seconds = r.mtime_seconds, mtime_nanoseconds = r.mtime_nanoseconds,
				state = r.state, reason = r.reason, width = r.width, height = r.height,
				hash = r.hash, same_as = r.same_as, ctime_seconds = r.ctime_seconds,
				ctime_nanoseconds = r.ctime_nanoseconds, pixels = r.pixels,
				same_file = CASE WHEN r.state = 9 THEN same_file END
			WHERE id = r.id;
		PERFORM ims_count(old.state, -1);
	END IF;
	PERFORM ims_count(r.state, 1);
	IF old.id IS NOT NULL AND r.state <> 1 THEN
		PERFORM ims_drop_vector(r.id);
		DELETE FROM fact WHERE picture = r.id;
	END IF;
END $$;

CREATE FUNCTION ims_put_facts(r ims_record) RETURNS void LANGUAGE sql AS $$
	INSERT INTO fact SELECT r.id, r.facts_version, r.sidecars, r.facts
		FROM picture p WHERE p.id = r.id AND p.state = 1
		ON CONFLICT (picture) DO UPDATE SET version = excluded.version,
			sidecars = excluded.sidecars, value = excluded.value
$$;

-- What belongs to a row beside it.
CREATE FUNCTION ims_put_parts(r ims_record) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF r.signature IS NOT NULL THEN
		INSERT INTO signature VALUES (r.id, r.hash, r.signature)
			ON CONFLICT (picture) DO UPDATE SET hash = excluded.hash, data = excluded.data;
	END IF;
	IF r.given IS NOT NULL THEN
		IF NOT r.of_next AND (EXISTS (SELECT FROM picture WHERE id = r.id AND state = 8)
				OR EXISTS (SELECT FROM feature_kept WHERE id = r.id)) THEN
			RAISE EXCEPTION USING ERRCODE = 'IM003', MESSAGE = r.id;
		END IF;
		PERFORM ims_put_vector(r.id, r.given, r.of_next);
	END IF;
	IF r.regions IS NOT NULL THEN
		PERFORM ims_put_regions(r.id, r.regions, r.of_next, r.given IS NULL);
	END IF;
	IF r.facts IS NOT NULL THEN
		PERFORM ims_put_facts(r);
	END IF;
END $$;

CREATE FUNCTION ims_touch(r ims_record) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM ims_put_parts(r);
	UPDATE picture SET pixels = CASE WHEN r.has_pixels THEN r.pixels ELSE pixels END,
			ctime_seconds = coalesce(r.ctime_seconds, ctime_seconds),
			ctime_nanoseconds = coalesce(r.ctime_nanoseconds, ctime_nanoseconds)
		WHERE id = r.id AND (r.has_pixels OR r.ctime_seconds IS NOT NULL);
END $$;

-- Gives a picture another path. One that has the path already is removed.
CREATE FUNCTION ims_move_one(item bigint, to_root bigint, to_path bytea, seconds bigint,
	nanoseconds bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	there picture;
BEGIN
	SELECT * INTO there FROM picture WHERE root = to_root AND path = to_path AND id <> item;
	IF there.state = 8 THEN
		RAISE EXCEPTION USING ERRCODE = 'IM002', MESSAGE = there.id;
	ELSIF there.id IS NOT NULL THEN
		PERFORM ims_remove_one(there.id);
	END IF;
	UPDATE picture SET root = to_root, path = to_path, mtime_seconds = seconds,
			mtime_nanoseconds = nanoseconds, ctime_seconds = NULL, ctime_nanoseconds = NULL
		WHERE id = item;
END $$;

-- The row of a picture with these bytes: indexed, or as its twin.
CREATE FUNCTION ims_admit(INOUT r ims_record) LANGUAGE plpgsql AS $$
DECLARE
	twin picture;
	own picture;
	own_id bigint;
	known boolean;
BEGIN
	SELECT * INTO twin FROM picture WHERE hash = r.hash AND state IN (1, 8)
		ORDER BY state, same_as IS NOT NULL, id LIMIT 1;
	SELECT * INTO own FROM picture
		WHERE CASE WHEN r.id <> 0 THEN id = r.id ELSE root = r.root AND path = r.path END;
	own_id := CASE WHEN r.id <> 0 THEN r.id ELSE own.id END;
	known := coalesce(own.hash = r.hash, false);
	IF twin.id IS NULL OR (twin.id = own_id AND twin.state <> 8) THEN
		r.state := 1;
		IF r.no_feature IS NOT NULL THEN
			r.state := 4;
			r.reason := r.no_feature;
			r := ims_put(r);
			r.outcome := 6;
			RETURN;
		ELSIF twin.id IS NULL AND r.given IS NULL THEN
			r.outcome := 7;
			RETURN;
		END IF;
		IF r.is_undecoded THEN
			r.width := twin.width;
			r.height := twin.height;
			r.pixels := twin.pixels;
		END IF;
		r := ims_put(r);
		PERFORM ims_put_parts(r);
		r.outcome := CASE WHEN twin.id IS NULL THEN 1 ELSE 2 END;
	ELSIF twin.state = 8 AND r.refuses_deleted THEN
		RAISE EXCEPTION USING ERRCODE = 'IM004', MESSAGE = twin.id;
	ELSIF r.gone = twin.id AND NOT known THEN
		IF own_id IS NOT NULL AND EXISTS (SELECT FROM picture WHERE id = own_id) THEN
			PERFORM ims_remove_one(own_id);
		END IF;
		PERFORM ims_move_one(twin.id, r.root, r.path, r.mtime_seconds, r.mtime_nanoseconds);
		UPDATE picture SET ctime_seconds = r.ctime_seconds,
			ctime_nanoseconds = r.ctime_nanoseconds WHERE id = twin.id;
		r.id := twin.id;
		r.state := twin.state;
		IF twin.state = 1 THEN
			PERFORM ims_put_parts(r);
		END IF;
		r.outcome := 4;
	ELSE
		r.state := CASE WHEN twin.state = 8 THEN 8 ELSE 2 END;
		r.reason := CASE WHEN twin.state = 8
			THEN 'same bytes as a picture that is kept out'::bytea END;
		r.same_as := CASE WHEN twin.state = 8 THEN coalesce(twin.same_as, twin.id)
			ELSE twin.id END;
		r.width := twin.width;
		r.height := twin.height;
		r := ims_put(r);
		r.outcome := CASE WHEN twin.state = 8 THEN 5 WHEN known THEN 2 ELSE 3 END;
	END IF;
END $$;

-- Writes records in their order. Each answer: id, state, outcome.
CREATE FUNCTION ims_write(records ims_record[])
	RETURNS TABLE (id bigint, state integer, outcome integer) LANGUAGE plpgsql AS $$
DECLARE
	r ims_record;
	switched boolean := current_setting('imgsearch.switched', true) = 'true';
BEGIN
	DELETE FROM claim c USING unnest(records) AS k WHERE c.root = k.root AND c.path = k.path
		AND c.lease::text = current_setting('imgsearch.work', true);
	PERFORM ims_gather();
	FOREACH r IN ARRAY records LOOP
		r.outcome := 0;
		r.of_next := r.of_next AND switched IS NOT TRUE;
		IF r.way = 0 THEN
			PERFORM ims_touch(r);
		ELSIF r.way = 1 THEN
			r := ims_put(r);
			PERFORM ims_put_parts(r);
		ELSE
			r := ims_admit(r);
		END IF;
		id := r.id;
		state := r.state;
		outcome := r.outcome;
		RETURN NEXT;
	END LOOP;
	PERFORM ims_gathered();
END $$;

-- Vectors without a picture.
CREATE FUNCTION ims_put_vectors(items bigint[], given vector[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	deleted bigint;
	added bigint;
BEGIN
	SELECT min(i.id) INTO deleted FROM unnest(items) AS i (id)
		WHERE EXISTS (SELECT FROM feature_kept k WHERE k.id = i.id)
			OR EXISTS (SELECT FROM picture p WHERE p.id = i.id AND p.state = 8);
	IF deleted IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'IM003', MESSAGE = deleted;
	END IF;
	SELECT count(*) INTO added FROM unnest(items) AS i (id)
		WHERE NOT EXISTS (SELECT FROM feature f WHERE f.id = i.id);
	PERFORM ims_drop_regions(items, false);
	INSERT INTO feature SELECT * FROM unnest(items, given)
		ON CONFLICT (id) DO UPDATE SET data = excluded.data;
	PERFORM ims_count(101, added);
	PERFORM ims_changed(items);
	PERFORM ims_use_ids((SELECT max(i.id) FROM unnest(items) AS i (id)));
END $$;

-- The vectors of these items, which differ from each other, come next, by COPY.
CREATE FUNCTION ims_make_room(items bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	deleted bigint;
	replaced bigint := 0;
BEGIN
	IF (SELECT min(i.id) FROM unnest(items) AS i (id)) <= ims_max_id()
			OR (SELECT max(i.id) FROM unnest(items) AS i (id)) > -- of another range
				(SELECT seqmax FROM pg_sequence WHERE seqrelid = 'item_id'::regclass) THEN
		SELECT min(i.id) INTO deleted FROM unnest(items) AS i (id)
			WHERE EXISTS (SELECT FROM feature_kept k WHERE k.id = i.id)
				OR EXISTS (SELECT FROM picture p WHERE p.id = i.id AND p.state = 8);
		IF deleted IS NOT NULL THEN
			RAISE EXCEPTION USING ERRCODE = 'IM003', MESSAGE = deleted;
		END IF;
		DELETE FROM feature WHERE id = ANY (items);
		GET DIAGNOSTICS replaced = ROW_COUNT;
		PERFORM ims_drop_regions(items, false);
	END IF;
	PERFORM ims_count(101, cardinality(items) - replaced);
	PERFORM ims_changed(items);
	PERFORM ims_use_ids((SELECT max(i.id) FROM unnest(items) AS i (id)));
END $$;

-- ------------------------------------------------------------------- deleted on purpose ----

-- 0: there is no such item; 1: a picture or a vector; 2: deleted. In the order of the items.
CREATE FUNCTION ims_presences(items bigint[]) RETURNS integer[] LANGUAGE sql STABLE AS $$
	SELECT array_agg(CASE
		WHEN p.id IS NOT NULL THEN CASE WHEN p.state = 8 THEN 2 ELSE 1 END
		WHEN EXISTS (SELECT FROM feature_kept k WHERE k.id = i.id) THEN 2
		WHEN EXISTS (SELECT FROM feature f WHERE f.id = i.id) THEN 1
		ELSE 0 END ORDER BY i.number)
	FROM unnest(items) WITH ORDINALITY AS i (id, number) LEFT JOIN picture p ON p.id = i.id
$$;

CREATE FUNCTION ims_set_state(item bigint, was integer, now integer, twin bigint, why bytea)
	RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM ims_count(was, -1);
	PERFORM ims_count(now, 1);
	UPDATE picture SET state = now, same_as = twin, reason = why,
			same_file = CASE WHEN now IN (8, 9) THEN same_file END
		WHERE id = item;
END $$;

-- The pictures with the bytes of an item: that with a kept vector first, then the first of them.
CREATE FUNCTION ims_equal_rows(first bigint) RETURNS SETOF picture LANGUAGE sql AS $$
	SELECT * FROM picture p WHERE id = first OR same_as = first
		OR hash = (SELECT hash FROM picture WHERE id = first)
	ORDER BY NOT EXISTS (SELECT FROM feature_kept k WHERE k.id = p.id), id <> first, id
$$;

CREATE FUNCTION ims_keep_out(items bigint[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	item bigint;
	first bigint;
	p picture;
	copy boolean;
BEGIN
	FOREACH item IN ARRAY items LOOP
		CASE (ims_presences(ARRAY[item]))[1]
		WHEN 0 THEN
			RETURN item;
		WHEN 2 THEN
			CONTINUE;
		ELSE
			NULL;
		END CASE;
		first := (SELECT coalesce(same_as, id) FROM picture WHERE id = item);
		IF first IS NULL THEN
			PERFORM ims_keep_vector(item);
			CONTINUE;
		END IF;
		FOR p IN SELECT * FROM ims_equal_rows(first) LOOP
			CONTINUE WHEN p.state = 8;
			copy := NOT ims_keep_vector(p.id) AND p.id <> first;
			PERFORM ims_set_state(p.id, p.state, 8, CASE WHEN copy THEN first END,
				CASE WHEN copy THEN 'same bytes as a picture that is kept out'::bytea
					ELSE 'kept out on purpose' END);
		END LOOP;
	END LOOP;
	RETURN NULL;
END $$;

CREATE FUNCTION ims_readmit(items bigint[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	item bigint;
	first bigint;
	p picture;
	twin bigint;
BEGIN
	FOREACH item IN ARRAY items LOOP
		CASE (ims_presences(ARRAY[item]))[1]
		WHEN 0 THEN
			RETURN item;
		WHEN 1 THEN
			CONTINUE;
		ELSE
			NULL;
		END CASE;
		first := (SELECT coalesce(same_as, id) FROM picture WHERE id = item);
		IF first IS NULL THEN
			PERFORM ims_return_vector(item);
			CONTINUE;
		END IF;
		FOR p IN SELECT * FROM ims_equal_rows(first) LOOP
			CONTINUE WHEN p.state <> 8;
			IF ims_return_vector(p.id) THEN
				PERFORM ims_set_state(p.id, 8, 1, NULL, NULL);
				CONTINUE;
			END IF;
			twin := (SELECT min(id) FROM picture o
				WHERE o.state = 1 AND (o.id = first OR o.hash = p.hash));
			IF twin IS NULL THEN
				PERFORM ims_set_state(p.id, 8, 7, NULL,
					'readmitted without a vector: the next index run reads it again');
			ELSE
				PERFORM ims_set_state(p.id, 8,
					CASE WHEN p.same_file IS NULL THEN 2 ELSE 9 END, twin, NULL);
			END IF;
		END LOOP;
	END LOOP;
	RETURN NULL;
END $$;

-- ------------------------------------------------------------------ paths and names of files ----

CREATE FUNCTION ims_move(items bigint[], roots bigint[], paths bytea[], seconds bigint[],
	nanoseconds bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. cardinality(items) LOOP
		PERFORM ims_move_one(items[i], roots[i], paths[i], seconds[i], nanoseconds[i]);
	END LOOP;
END $$;

-- The picture is in one of these states, which is returned.
CREATE FUNCTION ims_require(item bigint, states integer[]) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
	now integer := coalesce((SELECT state FROM picture WHERE id = item), 0);
BEGIN
	IF now <> ALL (states) THEN
		RAISE EXCEPTION USING ERRCODE = 'IM005', MESSAGE = item, DETAIL = now;
	END IF;
	RETURN now;
END $$;

CREATE FUNCTION ims_swap_paths(a bigint, b bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	x picture;
	y picture;
BEGIN
	SELECT * INTO x FROM picture WHERE id = a;
	SELECT * INTO y FROM picture WHERE id = b;
	IF x.id IS NULL OR y.id IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'IM006', MESSAGE = CASE WHEN x.id IS NULL THEN a ELSE b END;
	END IF;
	UPDATE picture SET root = 0, path = '\x00' WHERE id = a; -- no path holds a NUL
	UPDATE picture SET root = x.root, path = x.path, mtime_seconds = x.mtime_seconds,
			mtime_nanoseconds = x.mtime_nanoseconds, ctime_seconds = x.ctime_seconds,
			ctime_nanoseconds = x.ctime_nanoseconds
		WHERE id = b;
	UPDATE picture SET root = y.root, path = y.path, mtime_seconds = y.mtime_seconds,
			mtime_nanoseconds = y.mtime_nanoseconds, ctime_seconds = y.ctime_seconds,
			ctime_nanoseconds = y.ctime_nanoseconds
		WHERE id = a;
END $$;

-- what: 0 sets a name, 1 clears one, 2 exchanges paths, as a store_naming.
CREATE FUNCTION ims_name_files(what integer[], items bigint[], others bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	was integer;
BEGIN
	FOR i IN 1 .. cardinality(what) LOOP
		IF what[i] = 2 THEN
			PERFORM ims_swap_paths(items[i], others[i]);
		ELSIF what[i] = 1 THEN
			PERFORM ims_require(items[i], '{9}');
			UPDATE picture SET state = 2, same_file = NULL WHERE id = items[i];
			PERFORM ims_count(9, -1);
			PERFORM ims_count(2, 1);
		ELSE
			was := ims_require(items[i], '{2,9}');
			PERFORM ims_require(others[i], '{1,2}');
			UPDATE picture SET state = 9, same_file = others[i],
					same_as = (SELECT coalesce(same_as, id) FROM picture WHERE id = others[i])
				WHERE id = items[i] OR (same_file = items[i] AND state = 9);
			PERFORM ims_count(was, -1);
			PERFORM ims_count(9, 1);
		END IF;
	END LOOP;
END $$;

-- A picture without columns comes with one of number -1.
CREATE FUNCTION ims_put_columns(items bigint[], numbers bigint[], titles bigint[], names bytea[],
	given bytea[]) RETURNS void LANGUAGE sql AS $$
	DELETE FROM cell WHERE picture = ANY (items);
	INSERT INTO cell SELECT picture, number, name, value, title <> 0
		FROM unnest(items, numbers, titles, names, given) AS c (picture, number, title, name, value)
		WHERE number >= 0
$$;

-- --------------------------------------------------------------------------- roots, models ----

-- Pictures of a root, and the root, become a part of another one.
CREATE FUNCTION ims_merge_root(old bigint, new bigint, below bytea) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	twice bigint;
BEGIN
	FOR twice IN SELECT CASE WHEN o.state = 8 THEN i.id ELSE o.id END
		FROM picture i JOIN picture o ON o.root = new AND o.path = below || '/'::bytea || i.path
		WHERE i.root = old LOOP
		PERFORM ims_remove_one(twice);
	END LOOP;
	UPDATE picture SET root = new, path = below || '/'::bytea || path WHERE root = old;
	DELETE FROM root WHERE id = old;
END $$;

-- The next model is the current one; what the old one made goes. False: there is no next one.
CREATE FUNCTION ims_switch_model() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM model WHERE next = 1) THEN
		RETURN false;
	END IF;
	DELETE FROM searcher;
	DELETE FROM change;
	DELETE FROM model WHERE next = 0;
	UPDATE model SET next = 0;
	TRUNCATE feature, feature_kept, region;
	INSERT INTO feature SELECT * FROM feature_next;
	INSERT INTO region SELECT * FROM region_next;
	TRUNCATE feature_next, region_next;
	UPDATE tally SET n = (SELECT n FROM tally WHERE what = 102) WHERE what = 101;
	UPDATE tally SET n = (SELECT n FROM tally WHERE what = 106) WHERE what = 105;
	UPDATE tally SET n = 0 WHERE what IN (102, 103, 106);
	UPDATE newest SET change = change + 1;
	RETURN true;
END $$;

CREATE FUNCTION ims_drop_next() RETURNS void LANGUAGE sql AS $$
	DELETE FROM model WHERE next = 1;
	DELETE FROM feature_next;
	DELETE FROM region_next;
	UPDATE tally SET n = 0 WHERE what IN (102, 106)
$$;

CREATE FUNCTION ims_set_model(of_next bigint, a text, b text, c text, d text, e bigint, f bigint)
	RETURNS void LANGUAGE sql AS $$
	DELETE FROM model WHERE next = of_next; -- another id: see lease
	INSERT INTO model (next, name, weights, weights_hash, recipe, dim, precision)
		VALUES (of_next, a, b, c, d, e, f);
	DELETE FROM feature_next WHERE of_next = 1;
	DELETE FROM region_next WHERE of_next = 1;
	UPDATE tally SET n = 0 WHERE what IN (102, 106) AND of_next = 1
$$;

CREATE FUNCTION ims_set_list(of_root bigint, which bigint, items bytea[]) RETURNS void
LANGUAGE sql AS $$
	DELETE FROM root_list WHERE root = of_root AND list = which;
	INSERT INTO root_list SELECT of_root, which, number - 1, item
		FROM unnest(items) WITH ORDINALITY AS i (item, number)
$$;

-- A state of a searcher replaces the old one of its name. False: there is no such state.
CREATE FUNCTION ims_publish(made bigint, given text, v bigint, n bigint, c bigint)
	RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	of_name text := (SELECT name FROM searcher WHERE state = made);
BEGIN
	IF of_name IS NULL THEN
		RETURN false;
	END IF;
	DELETE FROM searcher WHERE name = of_name AND state <> made;
	UPDATE searcher SET published = true, params = given, version = v, rows = n, change = c
		WHERE state = made;
	RETURN true;
END $$;

-- ------------------------------------------------------------------------- as one of several ----

-- The range of ids that a shard gives. Indexes find what lies in a bucket.
CREATE FUNCTION ims_use_range(smallest bigint, largest bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('ALTER SEQUENCE item_id MAXVALUE %s', largest);
	PERFORM setval('item_id', smallest) WHERE smallest > greatest(ims_max_id(), 0);
	CREATE INDEX IF NOT EXISTS feature_bucket ON feature (ims_id_bucket(id));
	CREATE INDEX IF NOT EXISTS feature_next_bucket ON feature_next (ims_id_bucket(id));
	CREATE INDEX IF NOT EXISTS feature_kept_bucket ON feature_kept (ims_id_bucket(id));
END $$;

-- The bucket of a vector without bytes. Indexes use it, so an upgrade does not drop it.
CREATE OR REPLACE FUNCTION ims_id_bucket(id bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	$$ SELECT (id # (id >> 10) # (id >> 20) # (id >> 30)) & 1023 $$;

-- What lies in a bucket: pictures whose hashes are in the range (high is empty: to the end), and
-- vectors without bytes.
CREATE FUNCTION ims_bucket_items(bucket bigint, low bytea, high bytea) RETURNS SETOF bigint
LANGUAGE sql STABLE AS $$
	SELECT id FROM picture WHERE hash >= low AND (high = '' OR hash < high)
	UNION ALL SELECT v.id FROM (SELECT id FROM feature WHERE ims_id_bucket(id) = bucket
			UNION SELECT id FROM feature_next WHERE ims_id_bucket(id) = bucket
			UNION SELECT id FROM feature_kept WHERE ims_id_bucket(id) = bucket) v
		WHERE NOT EXISTS (SELECT FROM picture p WHERE p.id = v.id AND p.hash IS NOT NULL)
$$;

-- Counts items that arrived (1), or are about to leave (-1). Their vectors change.
CREATE FUNCTION ims_count_items(items bigint[], sign bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	vectors bigint[] := ARRAY(SELECT id FROM feature WHERE id = ANY (items) ORDER BY id);
BEGIN
	PERFORM ims_count(state, sign * count(*)) FROM picture WHERE id = ANY (items) GROUP BY state;
	PERFORM ims_count(101, sign * cardinality(vectors)),
		ims_count(102, sign * (SELECT count(*) FROM feature_next WHERE id = ANY (items))),
		ims_count(103, sign * (SELECT count(*) FROM feature_kept WHERE id = ANY (items))),
		ims_count(105, sign * (SELECT count(*) FROM region WHERE id = ANY (items))),
		ims_count(106, sign * (SELECT count(*) FROM region_next WHERE id = ANY (items)));
	PERFORM ims_changed(vectors);
END $$;

CREATE FUNCTION ims_arrived(items bigint[]) RETURNS void LANGUAGE sql AS
	$$ SELECT ims_count_items(items, 1) $$;

CREATE FUNCTION ims_leave(items bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM ims_count_items(items, -1);
	DELETE FROM feature WHERE id = ANY (items);
	DELETE FROM feature_next WHERE id = ANY (items);
	DELETE FROM feature_kept WHERE id = ANY (items);
	DELETE FROM region WHERE id = ANY (items);
	DELETE FROM region_next WHERE id = ANY (items);
	DELETE FROM picture WHERE id = ANY (items);
END $$;

-- --------------------------------------------------------------------- items of an answer ----
-- Functions, since the plans of their statements stay in the session, also behind a pooler.

CREATE FUNCTION ims_items(items bigint[])
RETURNS TABLE (item bigint, data vector, id bigint, root bigint, path bytea, state integer,
	root_path bytea, width bigint, height bigint)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan SET enable_seqscan = off
AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY SELECT k.id, v.data, p.id, p.root, p.path, p.state, r.path, p.width, p.height
		FROM (SELECT DISTINCT i FROM unnest(items) i) AS k (id)
		LEFT JOIN feature v ON v.id = k.id LEFT JOIN picture p ON p.id = k.id
		LEFT JOIN root r ON r.id = nullif(p.root, 0);
END $$;

CREATE FUNCTION ims_item_facts(items bigint[])
RETURNS TABLE (picture bigint, fact_1 bytea, fact_2 bytea, fact_3 bytea, fact_4 bytea,
	fact_5 bytea, fact_6 bytea, fact_7 bytea, fact_8 bytea, fact_9 bytea, fact_10 bytea,
	fact_11 bytea)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan SET enable_seqscan = off
AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY SELECT f.picture, f.value[1], f.value[2], f.value[3], f.value[4], f.value[5],
			f.value[6], f.value[7], f.value[8], f.value[9], f.value[10], f.value[11]
		FROM fact f WHERE f.picture = ANY (items) ORDER BY f.picture;
END $$;

CREATE FUNCTION ims_item_cells(items bigint[])
RETURNS TABLE (picture bigint, name bytea, value bytea, title boolean)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan SET enable_seqscan = off
AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY SELECT c.picture, c.name, c.value, c.title FROM cell c
		WHERE c.picture = ANY (items) ORDER BY c.picture, c.number;
END $$;

-- The other paths of pictures.
CREATE FUNCTION ims_item_paths(items bigint[])
RETURNS TABLE (item bigint, id bigint, root bigint, path bytea, size bigint,
	mtime_seconds bigint, mtime_nanoseconds bigint, state integer, reason bytea, width bigint,
	height bigint, hash bytea, same_as bigint, ctime_seconds bigint, ctime_nanoseconds bigint,
	same_file bigint, pixels bigint, root_path bytea)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan SET enable_seqscan = off
AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY SELECT p.same_as, p.id, p.root, p.path, p.size, p.mtime_seconds,
			p.mtime_nanoseconds, p.state, p.reason, p.width, p.height, p.hash, p.same_as,
			p.ctime_seconds, p.ctime_nanoseconds, p.same_file, p.pixels, r.path
		FROM picture p JOIN root r ON r.id = p.root
		WHERE p.same_as = ANY (items) AND p.state IN (2, 9)
		ORDER BY p.same_as, r.path || '/'::bytea, p.path;
END $$;

-- ------------------------------------------------------------ the vectors that are compared ----
-- A distance is taken between rows of a space: vectors less a mean, of length 1 under cosine. A
-- comparison is a table compared_N of such rows beside the vectors. A trigger keeps it; so later
-- vectors are compared with the mean of the build. It is made in steps: begun, filled, used. One
-- whose mean is no longer that of the index goes when the next one is begun.

-- The version of pgvector: 805 is 0.8.5.
CREATE FUNCTION ims_vector_version() RETURNS integer LANGUAGE sql STABLE AS $$
	SELECT a[1]::integer * 10000 + a[2]::integer * 100 + a[3]::integer
		FROM (SELECT string_to_array(extversion, '.') a FROM pg_extension
			WHERE extname = 'vector') v
$$;

-- The row of a vector in the space; NULL: none, it is of zeros under cosine.
CREATE FUNCTION ims_row(data vector, metric integer, mean vector) RETURNS vector
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT CASE
		WHEN metric <> 0 THEN CASE WHEN mean IS NULL THEN data ELSE data - mean END
		WHEN vector_norm(data) > 0
			THEN l2_normalize(CASE WHEN mean IS NULL THEN data ELSE data - mean END) END
$$;

CREATE FUNCTION ims_comparison_drop(which bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('DROP TRIGGER IF EXISTS compare_%1$s_insert ON feature;'
		'DROP TRIGGER IF EXISTS compare_%1$s_update ON feature;'
		'DROP TRIGGER IF EXISTS compare_%1$s_delete ON feature;'
		'DROP TRIGGER IF EXISTS compare_%1$s_truncate ON feature;'
		'DROP FUNCTION IF EXISTS ims_compare_%1$s();'
		'DROP FUNCTION IF EXISTS ims_near_%1$s(vector[], bigint, bigint[], double precision);'
		'DROP TABLE IF EXISTS compared_%1$s', which);
	DELETE FROM comparison WHERE number = which;
END $$;

-- What rows are sorted by in a scan: a distance, or under ip a number below it by the error that
-- the server's sum may have. An index cannot serve it.
CREATE FUNCTION ims_near_bound(of_metric integer, of_row text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
	SELECT format(CASE of_metric
		WHEN 2 THEN '(%1$s <#> q) - slack * vector_norm(%1$s) * vector_norm(q)'
		ELSE '(%1$s <-> q) + 0.0' END, of_row)
$$;

-- The body of a function that finds near rows, sorted by an expression. Ids that are found are left
-- for ims_items and the functions beside it. A plan without a subset is made once in a session.
CREATE FUNCTION ims_near_body(which bigint, sorted_by text, first text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
	SELECT format($f$
		DECLARE
			q vector;
			found bigint[] := '{}';
			done text;
		BEGIN
			%s
			number := 0;
			FOREACH q IN ARRAY queries LOOP
				IF subset IS NULL THEN %s
				ELSE %s
				END IF;
				number := number + 1;
			END LOOP;
			done := set_config('imgsearch.found', found::text, true);
		END $f$, first, max(part) FILTER (WHERE filter = ''), max(part) FILTER (WHERE filter <> ''))
		FROM (SELECT filter, format($f$
					FOR id, bound IN SELECT c.id, %2$s FROM compared_%1$s c %3$s
							ORDER BY %2$s LIMIT k LOOP
						found := found || id;
						RETURN NEXT;
					END LOOP;$f$, which, sorted_by, filter) AS part
			FROM (VALUES (''), ('WHERE c.id = ANY (subset)')) AS f (filter)) parts
$$;

-- What a search by the index begins with: settings of the transaction. Where there is no such index
-- it does something else, and returns.
CREATE FUNCTION ims_index_begin(which bigint, query text, plans text, goes_on text, otherwise text)
RETURNS text LANGUAGE sql AS $$
	SELECT format($f$
		IF NOT EXISTS (SELECT FROM comparison c, pg_index i WHERE c.number = %1$s AND c.filled
				AND c.metric = of_metric AND c.mean IS NOT DISTINCT FROM of_mean
				AND c.dim = vector_dims(%2$s)
				AND i.indisvalid AND i.indexrelid = to_regclass('compared_%1$s_hnsw')) THEN
			%5$s
			RETURN;
		END IF;
		done := set_config('hnsw.ef_search', ef::text, true)
			|| set_config('enable_seqscan', 'off', true)
			|| set_config('enable_sort', 'off', true) %4$s
			|| set_config('plan_cache_mode', %3$s, true);
		$f$, which, query, plans, CASE WHEN ims_vector_version() >= 800
			THEN format('|| set_config(''hnsw.iterative_scan'', %s, true)', goes_on) END, otherwise)
$$;

-- The near rows of one query by the index, with what ims_items gives of them. Those behind the
-- first `sure` may be farther by slack. With `leave` ids are left for the functions beside
-- ims_items. A search that goes on takes a tenth longer, so only one that finds too few, among many
-- rows that were deleted, does.
CREATE FUNCTION ims_near_items_body(which bigint, indexed text) RETURNS text
LANGUAGE sql AS $$
	SELECT format($f$
		#variable_conflict use_variable
		DECLARE
			found bigint[];
			bounds double precision[];
			worst double precision;
			n bigint;
			done text;
			goes_on text;
		BEGIN
			FOREACH goes_on IN ARRAY '{off,relaxed_order}'::text[] LOOP
				%s
				found := '{}';
				bounds := '{}';
				worst := '-infinity';
				n := 0;
				FOR item, bound IN SELECT c.id, %s FROM compared_%s c ORDER BY %s LIMIT k LOOP
					n := n + 1;
					IF n <= sure THEN
						worst := greatest(worst, bound);
					ELSIF bound > worst * (1 + slack) + slack THEN
						CONTINUE;
					END IF;
					found := found || item;
					bounds := bounds || bound;
				END LOOP;
				EXIT WHEN n >= k;
			END LOOP;
			IF leave <> 0 THEN
				done := set_config('imgsearch.found', found::text, true);
			END IF;
			RETURN QUERY SELECT f.i, v.data, p.id, p.root, p.path, p.state, r.path, p.width,
				p.height, f.d
				FROM unnest(found, bounds) AS f (i, d) LEFT JOIN feature v ON v.id = f.i
				LEFT JOIN picture p ON p.id = f.i LEFT JOIN root r ON r.id = nullif(p.root, 0);
		END $f$, ims_index_begin(which, 'q', '''force_generic_plan''', 'goes_on',
			'done := set_config(''imgsearch.found'', ''{}'', true); RETURN NEXT;'), indexed, which, indexed)
$$;

-- The functions of a comparison. Distances are lengths, or negative dot products.
CREATE FUNCTION ims_comparison_functions(which bigint, of_metric integer, dim bigint)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	indexed text := CASE WHEN dim <= 2000 THEN 'c.data' ELSE format('(c.data::halfvec(%s))', dim) END
		|| CASE of_metric WHEN 2 THEN ' <#> ' ELSE ' <-> ' END
		|| CASE WHEN dim <= 2000 THEN 'q' ELSE format('q::halfvec(%s)', dim) END;
BEGIN
	EXECUTE format($f$
		CREATE FUNCTION ims_compare_%1$s() RETURNS trigger LANGUAGE plpgsql
		SECURITY DEFINER SET search_path FROM CURRENT AS $t$
		BEGIN
			IF TG_OP = 'TRUNCATE' THEN
				TRUNCATE compared_%1$s;
				RETURN NULL;
			ELSIF TG_OP = 'INSERT' THEN
				INSERT INTO compared_%1$s SELECT n.id, r.made FROM added n, comparison c,
					LATERAL (SELECT CASE WHEN vector_dims(n.data) = c.dim
						THEN ims_row(n.data, c.metric, c.mean) END AS made OFFSET 0) r
					WHERE c.number = %1$s AND r.made IS NOT NULL
					ON CONFLICT (id) DO UPDATE SET data = excluded.data;
				RETURN NULL;
			END IF;
			DELETE FROM compared_%1$s d USING removed o WHERE d.id = o.id;
			IF TG_OP = 'UPDATE' THEN
				INSERT INTO compared_%1$s SELECT n.id, r.made FROM added n, comparison c,
					LATERAL (SELECT CASE WHEN vector_dims(n.data) = c.dim
						THEN ims_row(n.data, c.metric, c.mean) END AS made OFFSET 0) r
					WHERE c.number = %1$s AND r.made IS NOT NULL;
			END IF;
			RETURN NULL;
		END $t$;
		CREATE TRIGGER compare_%1$s_insert AFTER INSERT ON feature
			REFERENCING NEW TABLE AS added
			FOR EACH STATEMENT EXECUTE FUNCTION ims_compare_%1$s();
		CREATE TRIGGER compare_%1$s_update AFTER UPDATE ON feature
			REFERENCING OLD TABLE AS removed NEW TABLE AS added
			FOR EACH STATEMENT EXECUTE FUNCTION ims_compare_%1$s();
		CREATE TRIGGER compare_%1$s_delete AFTER DELETE ON feature
			REFERENCING OLD TABLE AS removed
			FOR EACH STATEMENT EXECUTE FUNCTION ims_compare_%1$s();
		CREATE TRIGGER compare_%1$s_truncate AFTER TRUNCATE ON feature
			FOR EACH STATEMENT EXECUTE FUNCTION ims_compare_%1$s();

		-- By a scan: an index cannot serve the order by a sum.
		CREATE FUNCTION ims_near_%1$s(queries vector[], k bigint, subset bigint[],
			slack double precision)
		RETURNS TABLE (number bigint, id bigint, bound double precision) LANGUAGE plpgsql AS $t$
		%2$s $t$;

		CREATE OR REPLACE FUNCTION ims_near_index(queries vector[], k bigint, subset bigint[],
			ef bigint, of_metric bigint, of_mean vector)
		RETURNS TABLE (number bigint, id bigint, bound double precision) LANGUAGE plpgsql AS $t$
		%3$s $t$;

		CREATE OR REPLACE FUNCTION ims_near_items(q vector, k bigint, ef bigint, of_metric bigint,
			of_mean vector, sure bigint, slack double precision, leave bigint)
		RETURNS TABLE (item bigint, data vector, id bigint, root bigint, path bytea,
			state integer, root_path bytea, width bigint, height bigint, bound double precision)
		LANGUAGE plpgsql AS $t$
		%4$s $t$;
		$f$, which,
		ims_near_body(which, ims_near_bound(of_metric, 'c.data'), ''),
		ims_near_body(which, indexed, ims_index_begin(which, 'queries[1]',
			'CASE WHEN subset IS NULL THEN ''force_generic_plan'' ELSE ''force_custom_plan'' END',
			'''relaxed_order''', 'RETURN QUERY SELECT -1::bigint, 0::bigint, 0::double precision;
			RETURN QUERY SELECT * FROM ims_near(queries, k, subset, 0, of_metric, of_mean);')),
		ims_near_items_body(which, indexed));
END $$;

-- The comparison by these rows, which is made where there is none. NULL: this role does not own the
-- tables, so it can make none. Who may read the vectors may read what is made.
CREATE FUNCTION ims_comparison_begin(of_metric bigint, of_mean vector, of_dim bigint)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	which bigint;
	reader text;
BEGIN
	IF NOT pg_has_role((SELECT relowner FROM pg_class WHERE oid = 'feature'::regclass), 'USAGE') THEN
		RETURN NULL;
	END IF;
	PERFORM ims_comparison_drop(c.number) FROM comparison c WHERE c.metric <> of_metric
		OR c.dim <> of_dim OR c.mean IS DISTINCT FROM of_mean;
	SELECT number INTO which FROM comparison;
	IF which IS NULL THEN
		INSERT INTO comparison (metric, mean, dim, filled)
			VALUES (of_metric, of_mean, of_dim, false) RETURNING number INTO which;
		EXECUTE format('CREATE TABLE compared_%s (id bigint PRIMARY KEY, data vector(%s) NOT NULL)',
			which, of_dim);
		FOR reader IN SELECT CASE WHEN a.grantee = 0 THEN 'public'
				ELSE a.grantee::regrole::text END
				FROM pg_class c, aclexplode(c.relacl) a
				WHERE c.oid = 'feature'::regclass AND a.privilege_type = 'SELECT' LOOP
			EXECUTE format('GRANT SELECT ON compared_%s TO %s', which, reader);
		END LOOP;
		PERFORM ims_comparison_functions(which, of_metric::integer, of_dim);
	END IF;
	RETURN which;
END $$;

-- The nearest rows of queries by a scan: of a comparison, or else of the vectors themselves. bound
-- is no more than the distance but for the error of the server's sum.
CREATE FUNCTION ims_near(queries vector[], k bigint, subset bigint[], slack double precision,
	of_metric bigint, of_mean vector)
RETURNS TABLE (number bigint, id bigint, bound double precision) LANGUAGE plpgsql AS $$
DECLARE
	which bigint := (SELECT c.number FROM comparison c WHERE c.filled AND c.metric = of_metric
		AND c.mean IS NOT DISTINCT FROM of_mean AND c.dim = vector_dims(queries[1]));
	found bigint[] := '{}';
	done text;
BEGIN
	IF which IS NOT NULL THEN
		RETURN QUERY EXECUTE format('SELECT * FROM ims_near_%s($1, $2, $3, $4)', which)
			USING queries, k, subset, slack;
		RETURN;
	END IF;
	FOR number, id, bound IN EXECUTE format('
		SELECT u.number - 1, n.id, n.bound FROM unnest($1) WITH ORDINALITY AS u (q, number)
		CROSS JOIN LATERAL (
			SELECT f.id, %s AS bound FROM feature f,
				LATERAL (SELECT ims_row(f.data, $5, $6) AS data OFFSET 0) r
			WHERE r.data IS NOT NULL AND ($3 IS NULL OR f.id = ANY ($3))
			ORDER BY 2 LIMIT $2) n
		ORDER BY 1, 3',
		replace(replace(ims_near_bound(of_metric::integer, 'r.data'), 'slack', '$4'), 'q', 'u.q'))
		USING queries, k, subset, slack, of_metric::integer, of_mean
	LOOP
		found := found || id;
		RETURN NEXT;
	END LOOP;
	done := set_config('imgsearch.found', found::text, true);
END $$;

-- The same by the index of the comparison, which replaces this function. Where there is none (it
-- was copied from elsewhere, or somebody dropped it) by a scan, behind a row of number -1.
CREATE FUNCTION ims_near_index(queries vector[], k bigint, subset bigint[], ef bigint,
	of_metric bigint, of_mean vector)
RETURNS TABLE (number bigint, id bigint, bound double precision) LANGUAGE sql AS $$
	SELECT -1::bigint, 0::bigint, 0::double precision
	UNION ALL SELECT * FROM ims_near(queries, k, subset, 0, of_metric, of_mean)
$$;

-- The same of one query, with its items. Where there is no index it gives one row of nulls.
CREATE FUNCTION ims_near_items(q vector, k bigint, ef bigint, of_metric bigint, of_mean vector,
	sure bigint, slack double precision, leave bigint)
RETURNS TABLE (item bigint, data vector, id bigint, root bigint, path bytea, state integer,
	root_path bytea, width bigint, height bigint, bound double precision) LANGUAGE plpgsql AS $$
DECLARE
	done text := set_config('imgsearch.found', '{}', true);
BEGIN
	RETURN NEXT;
END $$;

-- Adds the vectors of up to n ids behind one that lack; the last id, or NULL at the end.
CREATE FUNCTION ims_comparison_fill(which bigint, behind bigint, n bigint)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	last bigint;
BEGIN
	EXECUTE format('
		WITH part AS (SELECT f.id, f.data FROM feature f WHERE f.id > $1 ORDER BY f.id LIMIT $2),
		put AS (INSERT INTO compared_%1$s SELECT p.id, r.made FROM part p, comparison c,
			LATERAL (SELECT ims_row(p.data, c.metric, c.mean) AS made OFFSET 0) r
			WHERE c.number = %1$s AND r.made IS NOT NULL ON CONFLICT DO NOTHING)
		SELECT max(id) FROM part', which) INTO last USING behind, n;
	IF last IS NULL THEN
		UPDATE comparison SET filled = true WHERE number = which;
	END IF;
	RETURN last;
END $$;

-- ------------------------------------------------------------------------------- checking ----

-- What is wrong, as sentences.
CREATE FUNCTION ims_problems() RETURNS SETOF text LANGUAGE sql STABLE AS $$
	WITH counted (what, n) AS (
		SELECT state, count(*) FROM picture GROUP BY state
		UNION ALL SELECT 101, count(*) FROM feature
		UNION ALL SELECT 102, count(*) FROM feature_next
		UNION ALL SELECT 103, count(*) FROM feature_kept
		UNION ALL SELECT 105, count(*) FROM region
		UNION ALL SELECT 106, count(*) FROM region_next
	)
	SELECT format(CASE WHEN t.what > 104 THEN 'the count of regions (%s) is %s instead of %s'
			WHEN t.what > 100 THEN 'the count of vectors (%s) is %s instead of %s'
			ELSE 'the count of pictures in state %s is %s instead of %s' END,
			t.what, t.n, coalesce(c.n, 0))
		FROM tally t LEFT JOIN counted c USING (what) WHERE t.n <> coalesce(c.n, 0)
	UNION ALL SELECT format('picture %s is indexed but has no vector', id) FROM picture p
		WHERE state = 1 AND NOT EXISTS (SELECT FROM feature f WHERE f.id = p.id)
			AND NOT EXISTS (SELECT FROM feature_next f WHERE f.id = p.id)
	UNION ALL SELECT format('picture %s is not indexed but has a vector', id) FROM picture p
		WHERE state <> 1 AND EXISTS (SELECT FROM feature f WHERE f.id = p.id)
	UNION ALL SELECT format('picture %s is a duplicate of %s, which is not indexed', p.id,
			p.same_as)
		FROM picture p LEFT JOIN picture q ON q.id = p.same_as
		WHERE p.state IN (2, 9) AND q.state IS DISTINCT FROM 1
	UNION ALL SELECT format('regions of %s, which has no vector', id) FROM region r
		WHERE NOT EXISTS (SELECT FROM feature f WHERE f.id = r.id)
			AND NOT EXISTS (SELECT FROM feature_kept f WHERE f.id = r.id)
	UNION ALL SELECT format('new regions of %s, which has no new vector', id) FROM region_next r
		WHERE NOT EXISTS (SELECT FROM feature_next f WHERE f.id = r.id)
	UNION ALL SELECT format('regions of different lengths: %s bytes',
			string_agg(DISTINCT length(data)::text, ',')) FROM region
		HAVING count(DISTINCT length(data)) > 1
$$;

-- ------------------------------------------------------------------------- after an upgrade ----

-- Those of the comparison of an older version.
SELECT ims_comparison_functions(number, metric, dim) FROM comparison;
