-- A wholesaler: two schemas, upper-case names, functions in three forms, a deferrable key, a tree.
CREATE SCHEMA sales;
CREATE SCHEMA "Stock";
CREATE TABLE sales.customers (
    customer_id char(5) PRIMARY KEY,
    company_name varchar(40) NOT NULL,
    region text DEFAULT 'unknown'::text,
    picture bytea,
    CONSTRAINT customers_id_upper CHECK (customer_id = upper(customer_id))
);
CREATE TABLE sales.employees (
    employee_id smallint PRIMARY KEY,
    last_name varchar(20) NOT NULL,
    birth_date date,
    reports_to smallint REFERENCES sales.employees (employee_id) DEFERRABLE INITIALLY DEFERRED
);
CREATE TABLE "Stock"."Products" (
    "ProductID" integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    "Name" varchar(40) NOT NULL,
    "Unit price" real DEFAULT 0 NOT NULL,
    discontinued boolean DEFAULT false NOT NULL,
    CONSTRAINT "Unit price" CHECK ("Unit price" >= 0::double precision)
);
CREATE UNIQUE INDEX "Products of a name" ON "Stock"."Products" ("Name") WHERE NOT discontinued;
CREATE TABLE sales.orders (
    order_id bigserial PRIMARY KEY,
    customer_id char(5) REFERENCES sales.customers (customer_id) ON UPDATE CASCADE,
    employee_id smallint REFERENCES sales.employees (employee_id),
    ordered_at timestamptz DEFAULT now() NOT NULL,
    freight double precision
);
CREATE TABLE sales.order_details (
    order_id bigint NOT NULL REFERENCES sales.orders (order_id) ON DELETE CASCADE,
    product_id integer NOT NULL REFERENCES "Stock"."Products" ("ProductID"),
    quantity smallint NOT NULL,
    PRIMARY KEY (order_id, product_id)
);
CREATE FUNCTION sales.total(wanted bigint) RETURNS double precision LANGUAGE sql STABLE AS $$
    SELECT sum(d.quantity * p."Unit price") FROM sales.order_details d -- a comment; with a semicolon
    JOIN "Stock"."Products" p ON p."ProductID" = d.product_id WHERE d.order_id = wanted;
$$;
CREATE FUNCTION sales.is_big(wanted bigint) RETURNS boolean LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT CASE WHEN count(*) > 10 THEN true ELSE false END FROM sales.order_details WHERE order_id = wanted;
END;
CREATE PROCEDURE "Stock".discontinue(wanted integer) LANGUAGE plpgsql AS $body$
BEGIN
    UPDATE "Stock"."Products" SET discontinued = true WHERE "ProductID" = wanted;
    IF NOT FOUND THEN RAISE EXCEPTION 'no product %', wanted; END IF;
END;
$body$;
CREATE VIEW sales.open_orders WITH (security_barrier = true) AS
    SELECT o.order_id, sales.total(o.order_id) AS total FROM sales.orders o;
CREATE SEQUENCE "Stock".receipts AS integer START WITH 500 CYCLE;
