-- Copyright: openmig contributors
-- GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
-- The shop's tables, filled: about 260 000 rows and 120 MB, the same each time. One transaction, so it is there whole or not at all.

CREATE TYPE state AS ENUM ('placed', 'paid', 'sent', 'returned');

CREATE TABLE customers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    address jsonb NOT NULL,
    tags text[] NOT NULL DEFAULT '{}'
);

CREATE TABLE products (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    title text NOT NULL,
    price numeric(10, 2) NOT NULL CHECK (price > 0),
    picture bytea NOT NULL
);

CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer bigint NOT NULL REFERENCES customers,
    created timestamptz NOT NULL DEFAULT now(),
    state state NOT NULL DEFAULT 'placed',
    note text,
    token text UNIQUE,
    upload text,
    digest text
);

CREATE TABLE order_lines (
    "order" bigint NOT NULL REFERENCES orders,
    line smallint NOT NULL,
    product bigint NOT NULL REFERENCES products,
    quantity integer NOT NULL CHECK (quantity > 0),
    PRIMARY KEY ("order", line)
);

CREATE TABLE documents (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    title text NOT NULL,
    body text NOT NULL
);
-- Kept as it is, outside the row: bytes on the disk that no compression makes fewer.
ALTER TABLE documents ALTER COLUMN body SET STORAGE EXTERNAL;
ALTER TABLE products ALTER COLUMN picture SET STORAGE EXTERNAL;

INSERT INTO customers (name, address, tags)
SELECT 'Customer ' || n || E' ☃ O''Brien\t' || md5(n::text),
       jsonb_build_object('street', md5('street' || n), 'number', n % 200, 'city', 'Zürich'),
       ARRAY['tag ' || n % 7, 'quoted "' || n % 11 || '"']
FROM generate_series(1, 20000) AS n;

INSERT INTO products (title, price, picture)
SELECT 'Product ' || n, (n % 9999 + 1) / 7.0 + 0.01, sha512(('a' || n)::bytea) || sha512(('b' || n)::bytea)
FROM generate_series(1, 5000) AS n;

INSERT INTO orders (customer, created, state, note)
SELECT n % 20000 + 1, timestamptz '2024-01-01 00:00:00+00' + n * interval '7 minutes 13.000001 seconds',
       (enum_range(NULL::state))[n % 4 + 1], CASE WHEN n % 3 = 0 THEN NULL ELSE 'note ' || md5('note' || n) END
FROM generate_series(1, 60000) AS n;

INSERT INTO order_lines ("order", line, product, quantity)
SELECT n, line, (n * 31 + line * 17) % 5000 + 1, n % 9 + 1
FROM generate_series(1, 60000) AS n, generate_series(1, 1 + n % 4) AS line;

INSERT INTO documents (title, body)
SELECT 'Document ' || n, (SELECT string_agg(sha512((n || ':' || part)::bytea)::text, '') FROM generate_series(1, 24) AS part)
FROM generate_series(1, 18000) AS n;

CREATE INDEX orders_by_customer ON orders (customer);
CREATE INDEX orders_unpaid ON orders (created) WHERE state = 'placed';
CREATE INDEX customers_by_tag ON customers USING gin (tags);

CREATE VIEW turnover AS
SELECT o.id, sum(l.quantity * p.price) AS amount
FROM orders AS o JOIN order_lines AS l ON l."order" = o.id JOIN products AS p ON p.id = l.product
GROUP BY o.id;
