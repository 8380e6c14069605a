-- Gives an enum type other values: a new type takes its place, and what uses it is made again.
-- One statement, so that it needs no connection to be written down, and changes all or nothing.
-- Python puts its arguments, as JSON, in the place of :arguments, and chooses the $tag$.
-- https://www.postgresql.org/docs/current/catalog-pg-depend.html
DO $tag$
DECLARE
    arguments jsonb := :arguments;
    enum oid := to_regtype(arguments ->> 'type');
    types oid[] := ARRAY[enum, (SELECT typarray FROM pg_type WHERE oid = enum)];
    wanted text[] := ARRAY(SELECT jsonb_array_elements_text(arguments -> 'values'));
    old text[] := ARRAY(SELECT jsonb_array_elements_text(arguments -> 'old'));  -- the first becomes
    new text[] := ARRAY(SELECT jsonb_array_elements_text(arguments -> 'new'));  -- the first of these
    labels text[];
    gone text[];
    users oid[];
    relations oid[];  -- the table and the number of each column of the type
    numbers smallint[];
    before text[];
    after text[];
    named text[];
    aside text := format('dbkit_replaced_%s', enum);
    qualified text;
    problems text;
    head text;
    tail text;
    item record;
    has_rows boolean;
BEGIN
    SELECT format('%I.%I', nspname, typname) INTO qualified
    FROM pg_type JOIN pg_namespace AS n ON n.oid = typnamespace WHERE pg_type.oid = enum AND typtype = 'e';
    IF qualified IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'DK001', MESSAGE = format('there is no enum type %s', arguments ->> 'type');
    END IF;

    -- Renaming writes no row. Names that are exchanged are all given up first.
    SELECT array_agg(enumlabel ORDER BY enumsortorder) INTO labels FROM pg_enum WHERE enumtypid = enum;
    FOR number IN 1 .. cardinality(old) LOOP
        IF old[number] = ANY (labels) AND NOT new[number] = ANY (new[:number - 1])
                AND (NOT new[number] = ANY (labels) OR new[number] = ANY (old)) THEN
            EXECUTE format('ALTER TYPE %s RENAME VALUE %L TO %L', qualified, old[number], aside || '_' || number);
        END IF;
    END LOOP;
    FOR item IN SELECT enumlabel, substr(enumlabel, length(aside) + 2)::integer AS number
            FROM pg_enum WHERE enumtypid = enum AND starts_with(enumlabel, aside || '_') LOOP
        EXECUTE format('ALTER TYPE %s RENAME VALUE %L TO %L', qualified, item.enumlabel, new[item.number]);
    END LOOP;
    SELECT array_agg(enumlabel ORDER BY enumsortorder) INTO labels FROM pg_enum WHERE enumtypid = enum;
    IF labels = wanted THEN
        RETURN;
    END IF;
    gone := ARRAY(SELECT unnest(labels) EXCEPT SELECT unnest(wanted) EXCEPT SELECT unnest(old));

    SELECT coalesce(array_agg(attrelid ORDER BY attrelid, attnum), '{}'), coalesce(array_agg(attnum ORDER BY attrelid, attnum), '{}')
    INTO relations, numbers
    FROM pg_attribute JOIN pg_class AS c ON c.oid = attrelid
    WHERE atttypid = ANY (types) AND relkind IN ('r', 'p') AND NOT attisdropped;

    -- What cannot be made again from its definition, or has rights and dependents of its own.
    SELECT string_agg(DISTINCT user_name, ', ' ORDER BY user_name) INTO problems FROM (
        SELECT CASE
            WHEN classid = 'pg_rewrite'::regclass THEN (SELECT concat(i.type, ' ', i.identity)
                FROM pg_rewrite AS r, pg_identify_object('pg_class'::regclass, r.ev_class, 0) AS i WHERE r.oid = objid)
            WHEN classid = 'pg_attrdef'::regclass THEN (SELECT concat('generated ', i.type, ' ', i.identity)
                FROM pg_attrdef AS a, pg_identify_object('pg_class'::regclass, a.adrelid, a.adnum) AS i WHERE a.oid = objid)
            ELSE (SELECT concat(i.type, ' ', i.identity) FROM pg_identify_object(classid, objid, 0) AS i)
        END AS user_name
        FROM pg_depend
        LEFT JOIN pg_class AS c ON classid = 'pg_class'::regclass AND c.oid = objid
        LEFT JOIN pg_constraint AS k ON classid = 'pg_constraint'::regclass AND k.oid = objid
        LEFT JOIN pg_attrdef AS e ON classid = 'pg_attrdef'::regclass AND e.oid = objid
        LEFT JOIN pg_attribute AS a ON a.attrelid = e.adrelid AND a.attnum = e.adnum
        WHERE (refclassid = 'pg_type'::regclass AND refobjid = ANY (types)
            OR refclassid = 'pg_class'::regclass
                AND (refobjid, refobjsubid) IN (SELECT * FROM unnest(relations, numbers)))
          AND NOT (classid = 'pg_type'::regclass AND objid = ANY (types))
          AND coalesce(c.relkind NOT IN ('r', 'p', 'i', 'I'), true)
          AND coalesce(k.conrelid = 0, true)
          AND coalesce(a.attgenerated <> '', true)
          AND NOT (classid = 'pg_statistic_ext'::regclass AND refclassid = 'pg_class'::regclass)
        UNION ALL
        SELECT concat('partition key of ', partrelid::regclass)
        FROM pg_partitioned_table, unnest(relations, numbers) AS u (relation, number)
        WHERE partrelid = relation AND number = ANY (partattrs)
    ) AS refused;
    IF problems IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'DK001', MESSAGE = format(
            'enum type %s cannot get other values while it is used by %s: drop that first, and create it again afterwards',
            qualified, problems);
    END IF;

    FOR item IN SELECT DISTINCT unnest(relations)::regclass AS relation ORDER BY 1 LOOP
        EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', item.relation);
    END LOOP;
    FOR item IN SELECT a.*, attrelid::regclass AS relation FROM pg_attribute AS a
            WHERE (attrelid, attnum) IN (SELECT * FROM unnest(relations, numbers)) AND gone <> '{}' LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM ONLY %s WHERE (%s) && %L::text[])', item.relation,
            format(CASE WHEN item.atttypid = enum THEN 'ARRAY[%I::text]' ELSE '%I::text[]' END, item.attname), gone)
        INTO has_rows;
        IF has_rows THEN
            RAISE EXCEPTION USING ERRCODE = 'DK001', MESSAGE = format(
                'rows of %s have a value in %I that enum type %s is to lose (%s): change them before, or say '
                'renamed={"old value": "new value"}', item.relation, item.attname, qualified,
                (SELECT string_agg(quote_literal(one), ', ' ORDER BY one) FROM unnest(gone) AS one));
        END IF;
    END LOOP;

    -- What has the type, or a value of it, in its definition: how it is dropped and made again.
    users := ARRAY(
        SELECT objid FROM pg_depend
        WHERE refclassid = 'pg_type'::regclass AND refobjid = ANY (types)
           OR refclassid = 'pg_class'::regclass AND (refobjid, refobjsubid) IN (SELECT * FROM unnest(relations, numbers)));
    SELECT array_agg(drop_it ORDER BY place), array_agg(make_it ORDER BY place DESC), array_agg(name ORDER BY place DESC)
    INTO before, after, named
    FROM (
        SELECT CASE contype WHEN 'f' THEN 1 ELSE 2 END AS place,
            format('constraint %I of %s', conname, conrelid::regclass) AS name,
            format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS drop_it,
            format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
                || format('; COMMENT ON CONSTRAINT %I ON %s IS %L', conname, conrelid::regclass,
                    obj_description(oid, 'pg_constraint')) AS make_it
        FROM pg_constraint
        WHERE oid = ANY (users) AND contype IN ('c', 'f', 'x') AND conparentid = 0 AND coninhcount = 0
        UNION ALL
        SELECT 3, format('index %s', i.oid::regclass), format('DROP INDEX %s', i.oid::regclass),
            CASE i.relkind WHEN 'I' THEN replace(pg_get_indexdef(i.oid), ' ON ONLY ', ' ON ') ELSE pg_get_indexdef(i.oid) END
                || format('; COMMENT ON INDEX %s IS %L', i.oid::regclass, obj_description(i.oid, 'pg_class'))
        FROM pg_index AS x JOIN pg_class AS i ON i.oid = indexrelid
        WHERE i.oid = ANY (users) AND NOT i.relispartition AND (indpred IS NOT NULL OR indexprs IS NOT NULL)
          AND NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = indrelid AND conindid = indexrelid AND contype = 'x')
        UNION ALL
        SELECT 4, format('the default of %s.%I', adrelid::regclass, attname),
            format('ALTER TABLE ONLY %s ALTER COLUMN %I DROP DEFAULT', adrelid::regclass, attname),
            format('ALTER TABLE ONLY %s ALTER COLUMN %I SET DEFAULT %s', adrelid::regclass, attname, pg_get_expr(adbin, adrelid))
        FROM pg_attrdef AS e JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum
        WHERE e.oid = ANY (users) AND attgenerated = ''
    ) AS definitions;

    FOR number IN 1 .. coalesce(cardinality(before), 0) LOOP
        EXECUTE before[number];
    END LOOP;
    EXECUTE format('ALTER TYPE %s RENAME TO %I', qualified, aside);
    EXECUTE format('CREATE TYPE %s AS ENUM (%s)', qualified, (
        SELECT string_agg(quote_literal(value), ', ' ORDER BY number) FROM unnest(wanted) WITH ORDINALITY AS w (value, number)));
    -- A value that is to be called like another one is renamed in each row.
    SELECT repeat('array_replace(', count(*)::integer), coalesce(string_agg(format(', %L, %L)', r.old, r.new), ''), '')
    INTO head, tail
    FROM unnest(old, new) AS r (old, new) WHERE r.old = ANY (labels) AND NOT r.old = ANY (wanted);
    FOR item IN  -- the columns of a table together, so that it is written once
        SELECT attrelid::regclass AS relation, string_agg(format('ALTER COLUMN %I TYPE %s USING %s', attname,
            CASE WHEN atttypid = enum THEN qualified ELSE qualified || '[]' END,
            CASE WHEN atttypid = enum THEN format('(%s)[1]::%s', head || format('ARRAY[%I::text]', attname) || tail, qualified)
                ELSE format('(%s)::%s[]', head || format('%I::text[]', attname) || tail, qualified) END), ', ') AS changes
        FROM pg_attribute
        WHERE (attrelid, attnum) IN (SELECT * FROM unnest(relations, numbers)) AND attinhcount = 0
        GROUP BY attrelid
    LOOP
        EXECUTE format('ALTER TABLE %s %s', item.relation, item.changes);
    END LOOP;

    FOR item IN
        SELECT format('ALTER TYPE %s OWNER TO %I', qualified, pg_get_userbyid(typowner)) AS command
        FROM pg_type WHERE oid = enum AND pg_get_userbyid(typowner) <> current_user
        UNION ALL
        SELECT format('COMMENT ON TYPE %s IS %L', qualified, description)
        FROM obj_description(enum, 'pg_type') AS description WHERE description IS NOT NULL
        UNION ALL
        SELECT format('REVOKE ALL ON TYPE %s FROM PUBLIC', qualified) FROM pg_type WHERE oid = enum AND typacl IS NOT NULL
        UNION ALL
        SELECT format('GRANT USAGE ON TYPE %s TO %s%s', qualified,
            CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
            CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
        FROM pg_type, aclexplode(typacl) WHERE oid = enum AND grantee <> typowner
    LOOP
        EXECUTE item.command;
    END LOOP;
    EXECUTE format('DROP TYPE %s', enum::regtype);

    FOR number IN 1 .. coalesce(cardinality(after), 0) LOOP
        BEGIN
            EXECUTE after[number];
        EXCEPTION WHEN invalid_text_representation THEN
            RAISE EXCEPTION USING ERRCODE = 'DK001', MESSAGE = format(
                '%s uses a value that enum type %s is to lose: drop or change it before', named[number], qualified);
        END;
    END LOOP;
END
$tag$
