SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
CREATE SCHEMA hallway;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE hallway.bucket (
    series integer NOT NULL,
    seconds integer NOT NULL,
    at timestamp with time zone NOT NULL,
    "least" double precision NOT NULL,
    most double precision NOT NULL,
    mean double precision NOT NULL,
    last double precision NOT NULL,
    count bigint NOT NULL,
    rise double precision NOT NULL
);
CREATE TABLE hallway.series (
    number integer NOT NULL,
    kind text NOT NULL,
    owner text NOT NULL,
    name text NOT NULL,
    type text NOT NULL,
    discrete boolean NOT NULL,
    samples bigint DEFAULT 0 NOT NULL,
    first timestamp with time zone,
    last timestamp with time zone,
    more bigint,
    rolling bytea
);
CREATE VIEW hallway.buckets AS
 SELECT series.kind,
    series.owner,
    series.name,
    bucket.seconds,
    bucket.at,
    bucket."least",
    bucket.most,
    bucket.mean,
    bucket.last,
    bucket.count,
    bucket.rise
   FROM (hallway.bucket
     JOIN hallway.series ON ((series.number = bucket.series)));
CREATE TABLE hallway.definition (
    kind text NOT NULL,
    id text NOT NULL,
    version integer NOT NULL,
    at double precision NOT NULL,
    author text,
    door text NOT NULL,
    body text,
    seq bigint NOT NULL,
    act bigint NOT NULL,
    checksum bigint
);
CREATE TABLE hallway.home (
    one boolean DEFAULT true NOT NULL,
    hub_id text NOT NULL,
    incarnation text NOT NULL,
    last_seq bigint DEFAULT 0 NOT NULL,
    synchronised timestamp with time zone,
    taken bigint DEFAULT 0 NOT NULL,
    newest timestamp with time zone,
    CONSTRAINT home_one_check CHECK (one)
);
CREATE TABLE hallway.kept_id (
    owner text NOT NULL,
    entity_id text NOT NULL
);
CREATE TABLE hallway.more (
    series integer NOT NULL,
    id bigint NOT NULL,
    until timestamp with time zone NOT NULL,
    body text NOT NULL
);
CREATE TABLE hallway.note (
    owner text NOT NULL,
    name text NOT NULL,
    body text NOT NULL
);
CREATE TABLE hallway.plan (
    device_id text NOT NULL,
    name text NOT NULL,
    due double precision NOT NULL
);
CREATE TABLE hallway.sample (
    series integer NOT NULL,
    at timestamp with time zone NOT NULL,
    id bigint NOT NULL,
    number double precision,
    kind "char" NOT NULL,
    text text,
    more bigint
);
CREATE VIEW hallway.samples AS
 SELECT kind.kind,
    kind.owner,
    kind.name,
    sample.at,
    sample.number,
    sample.text,
    more.body AS attributes
   FROM ((hallway.sample
     JOIN hallway.series kind ON ((kind.number = sample.series)))
     LEFT JOIN hallway.more ON (((more.series = sample.series) AND (more.id = sample.more))));
CREATE TABLE hallway.state (
    entity_id text NOT NULL,
    number bigint NOT NULL,
    state text NOT NULL,
    attributes text NOT NULL,
    last_changed double precision NOT NULL,
    last_updated double precision NOT NULL,
    told_by text NOT NULL
);
CREATE TABLE hallway.value (
    device_id text NOT NULL,
    attribute text NOT NULL,
    value text NOT NULL,
    updated double precision NOT NULL,
    changed double precision
);
CREATE TABLE hallway.variable (
    name text NOT NULL,
    value text NOT NULL
);
CREATE TABLE hallway.version (
    number integer NOT NULL
);
INSERT INTO hallway.bucket VALUES (1, 300, '2027-01-15 08:05:00+00', 9.514266260965904, 9.514266260965904, 9.514266260965904, 9.514266260965904, 1, 0);
INSERT INTO hallway.bucket VALUES (1, 300, '2027-01-15 08:25:00+00', 9.514266260965904, 19.725866416899912, 15.343572, 19.725866416899912, 2, 10.2116001559);
INSERT INTO hallway.bucket VALUES (1, 300, '2027-01-15 08:45:00+00', 7.558465201782525, 19.725866416899912, 16.562342, 7.558465201782525, 1, 7.5584652018);
INSERT INTO hallway.bucket VALUES (1, 300, '2027-01-15 08:55:00+00', 2.34117707710924, 7.558465201782525, 2.7411692, 2.34117707710924, 1, 2.34117707711);
INSERT INTO hallway.bucket VALUES (1, 300, '2027-01-15 09:15:00+00', 0.7456693379547055, 23.669793290963838, 6.959861, 0.7456693379547055, 5, 30.1942370427);
INSERT INTO hallway.bucket VALUES (1, 300, '2027-01-15 09:25:00+00', -9.054616894720517, 0.7456693379547055, -6.8332187, -9.054616894720517, 1, 0);
INSERT INTO hallway.bucket VALUES (1, 300, '2027-01-15 09:30:00+00', -9.054616894720517, 0.3368333306198359, -4.9223788, 0.3368333306198359, 1, 9.39145022534);
INSERT INTO hallway.bucket VALUES (1, 300, '2027-01-15 09:35:00+00', -8.586958134521407, 0.3368333306198359, -0.5852918, -8.586958134521407, 1, 0);
INSERT INTO hallway.bucket VALUES (1, 300, '2027-01-15 09:50:00+00', -8.586958134521407, 10.955817594679122, -2.083362, 2.255464813329837, 2, 21.7982405425);
INSERT INTO hallway.bucket VALUES (1, 300, '2027-01-15 09:55:00+00', -9.660789501453246, 12.935308120892344, 11.080014, 12.935308120892344, 2, 22.5960976223);
INSERT INTO hallway.bucket VALUES (1, 300, '2027-01-15 10:10:00+00', 12.935308120892344, 26.439511340322717, 23.108475, 26.439511340322717, 1, 13.5042032194);
INSERT INTO hallway.bucket VALUES (1, 3600, '2027-01-15 08:00:00+00', 2.34117707710924, 19.725866416899912, 12.776219, 2.34117707710924, 5, 20.1112424348);
INSERT INTO hallway.bucket VALUES (1, 3600, '2027-01-15 09:00:00+00', -9.660789501453246, 23.669793290963838, -0.482424, 12.935308120892344, 12, 83.980025433);
INSERT INTO hallway.bucket VALUES (2, 300, '2027-01-15 08:00:00+00', 1, 1, 1, 1, 1, 0);
INSERT INTO hallway.bucket VALUES (2, 300, '2027-01-15 08:05:00+00', 1, 7.5, 5.3333333, 7.5, 1, 6.5);
INSERT INTO hallway.bucket VALUES (2, 300, '2027-01-15 08:10:00+00', 1, 7.5, 7.5, 7.5, 3, 7.5);
INSERT INTO hallway.bucket VALUES (2, 300, '2027-01-15 08:20:00+00', 0, 7.5, 0.05, 0, 1, 0);
INSERT INTO hallway.bucket VALUES (2, 300, '2027-01-15 08:25:00+00', 0, 1, 0.66, 1, 1, 1);
INSERT INTO hallway.bucket VALUES (2, 300, '2027-01-15 08:45:00+00', 1, 7.5, 3.99, 7.5, 1, 6.5);
INSERT INTO hallway.bucket VALUES (2, 300, '2027-01-15 09:00:00+00', 7.5, 7.5, 7.5, 7.5, 1, 0);
INSERT INTO hallway.bucket VALUES (2, 300, '2027-01-15 09:05:00+00', 5, 7.5, 7.375, 5, 1, 0);
INSERT INTO hallway.bucket VALUES (2, 300, '2027-01-15 09:15:00+00', 5, 5, 5, 5, 1, 0);
INSERT INTO hallway.bucket VALUES (2, 300, '2027-01-15 09:50:00+00', 5, 7.5, 5.0833333, 7.5, 1, 2.5);
INSERT INTO hallway.bucket VALUES (2, 300, '2027-01-15 09:55:00+00', 1, 7.5, 2.1266667, 1, 1, 1);
INSERT INTO hallway.bucket VALUES (2, 300, '2027-01-15 10:00:00+00', 0, 5, 2.9733333, 5, 4, 9);
INSERT INTO hallway.bucket VALUES (2, 3600, '2027-01-15 08:00:00+00', 0, 7.5, 3.6694444, 7.5, 8, 21.5);
INSERT INTO hallway.bucket VALUES (2, 3600, '2027-01-15 09:00:00+00', 1, 7.5, 5.1798965, 1, 5, 3.5);
INSERT INTO hallway.bucket VALUES (3, 300, '2027-01-15 08:10:00+00', 72.2, 72.2, 72.2, 72.2, 1, 0);
INSERT INTO hallway.bucket VALUES (3, 300, '2027-01-15 08:20:00+00', 72.2, 76.4, 76.386, 76.4, 1, 4.2);
INSERT INTO hallway.bucket VALUES (3, 300, '2027-01-15 08:30:00+00', 67, 76.4, 75.209333, 67, 1, 0);
INSERT INTO hallway.bucket VALUES (3, 300, '2027-01-15 08:40:00+00', 67, 85.3, 81.518, 85.3, 1, 18.3);
INSERT INTO hallway.bucket VALUES (3, 300, '2027-01-15 08:45:00+00', 37.1, 85.3, 72.928667, 37.1, 1, 37.1);
INSERT INTO hallway.bucket VALUES (3, 300, '2027-01-15 09:00:00+00', 20.5, 91, 34.408333, 20.5, 4, 88.8);
INSERT INTO hallway.bucket VALUES (3, 300, '2027-01-15 09:15:00+00', 20.5, 78.6, 58.607667, 45.5, 2, 58.1);
INSERT INTO hallway.bucket VALUES (3, 300, '2027-01-15 09:30:00+00', 45.5, 97.6, 68.250333, 97.6, 1, 52.1);
INSERT INTO hallway.bucket VALUES (3, 300, '2027-01-15 09:45:00+00', 42.7, 97.6, 55.327, 42.7, 1, 42.7);
INSERT INTO hallway.bucket VALUES (3, 300, '2027-01-15 09:50:00+00', 5.9, 42.7, 33.990667, 5.9, 1, 5.9);
INSERT INTO hallway.bucket VALUES (3, 300, '2027-01-15 09:55:00+00', 3.7, 96.2, 4.375, 3.7, 2, 94);
INSERT INTO hallway.bucket VALUES (3, 300, '2027-01-15 10:00:00+00', 3.7, 90, 29.014667, 90, 1, 86.3);
INSERT INTO hallway.bucket VALUES (3, 3600, '2027-01-15 08:00:00+00', 37.1, 85.3, 66.41672, 37.1, 5, 59.6);
INSERT INTO hallway.bucket VALUES (3, 3600, '2027-01-15 09:00:00+00', 3.7, 97.6, 48.51325, 3.7, 11, 341.6);
INSERT INTO hallway.definition VALUES ('user', 'ann', 1, 1795335299.33108, 'ann', 'test', '{"x":1}', 0, 0, 1875359625);
INSERT INTO hallway.definition VALUES ('page', 'it', 1, 1795335299.3310423, NULL, 'homeassistant', '{"id":"it","name":"0","devices":[]}', 60, 0, 3147149802);
INSERT INTO hallway.home VALUES (true, 'hub', 'first', 60, '2026-11-22 08:14:59.396867+00', 60, '2027-01-15 10:19:55+00');
INSERT INTO hallway.kept_id VALUES ('variable:wake', 'variable.wake');
INSERT INTO hallway.kept_id VALUES ('device:dimmer:light', 'light.dimmer');
INSERT INTO hallway.kept_id VALUES ('device:temperature:sensor_humidity', 'sensor.temperature_humidity');
INSERT INTO hallway.kept_id VALUES ('device:field:input', 'input.field');
INSERT INTO hallway.kept_id VALUES ('device:door:binary_sensor', 'binary_sensor.door');
INSERT INTO hallway.kept_id VALUES ('device:somebody:binary_sensor', 'binary_sensor.somebody');
INSERT INTO hallway.kept_id VALUES ('device:temperature:sensor_temperature', 'sensor.temperature_temperature');
INSERT INTO hallway.kept_id VALUES ('device:answer_field:input', 'input.answer_field');
INSERT INTO hallway.kept_id VALUES ('variable:warm', 'variable.warm');
INSERT INTO hallway.kept_id VALUES ('device:switch:switch', 'switch.switch');
INSERT INTO hallway.kept_id VALUES ('variable:answer', 'variable.answer');
INSERT INTO hallway.kept_id VALUES ('device:time_field:input', 'input.time_field');
INSERT INTO hallway.kept_id VALUES ('device:watch:timer', 'timer.watch');
INSERT INTO hallway.kept_id VALUES ('group:all', 'group.all');
INSERT INTO hallway.kept_id VALUES ('device:player:media_player', 'media_player.player');
INSERT INTO hallway.kept_id VALUES ('parked:broken', 'problem.broken');
INSERT INTO hallway.kept_id VALUES ('variable:text', 'variable.text');
INSERT INTO hallway.kept_id VALUES ('device:heating:thermostat', 'thermostat.heating');
INSERT INTO hallway.kept_id VALUES ('device:shown:sensor', 'sensor.shown');
INSERT INTO hallway.kept_id VALUES ('variable:double', 'variable.double');
INSERT INTO hallway.kept_id VALUES ('device:buttons:buttons', 'buttons.buttons');
INSERT INTO hallway.kept_id VALUES ('device:shutter:cover', 'cover.shutter');
INSERT INTO hallway.more VALUES (3, 8, '2027-01-15 08:48:43+00', '{"attributes":{"a":0}}');
INSERT INTO hallway.more VALUES (3, 19, '2027-01-15 10:12:14+00', '{"attributes":{"a":2}}');
INSERT INTO hallway.sample VALUES (1, '2027-01-15 08:06:41+00', 3, 9.514266260965904, 'f', NULL, NULL);
INSERT INTO hallway.sample VALUES (1, '2027-01-15 08:26:42+00', 11, 15.17411619202596, 'f', NULL, NULL);
INSERT INTO hallway.sample VALUES (1, '2027-01-15 08:27:42+00', 12, 19.725866416899912, 'f', NULL, NULL);
INSERT INTO hallway.sample VALUES (1, '2027-01-15 08:48:42+00', 16, 7.558465201782525, 'f', NULL, NULL);
INSERT INTO hallway.sample VALUES (1, '2027-01-15 08:55:23+00', 18, 2.34117707710924, 'f', NULL, NULL);
INSERT INTO hallway.sample VALUES (1, '2027-01-15 09:16:25+00', 27, 15.414843612078208, 'f', NULL, NULL);
INSERT INTO hallway.sample VALUES (1, '2027-01-15 09:16:26+00', 28, 21.937557623097042, 'f', NULL, NULL);
INSERT INTO hallway.sample VALUES (1, '2027-01-15 09:17:26+00', 29, 23.669793290963838, 'f', NULL, NULL);
INSERT INTO hallway.sample VALUES (1, '2027-01-15 09:17:26+00', 30, 8.119951490926734, 'f', NULL, NULL);
INSERT INTO hallway.sample VALUES (1, '2027-01-15 09:18:26+00', 31, 0.7456693379547055, 'f', NULL, NULL);
INSERT INTO hallway.sample VALUES (1, '2027-01-15 09:26:08+00', 35, -9.054616894720517, 'f', NULL, NULL);
INSERT INTO hallway.sample VALUES (1, '2027-01-15 09:32:48+00', 36, 0.3368333306198359, 'f', NULL, NULL);
INSERT INTO hallway.sample VALUES (1, '2027-01-15 09:39:29+00', 38, -8.586958134521407, 'f', NULL, NULL);
INSERT INTO hallway.sample VALUES (1, '2027-01-15 09:52:49+00', 40, 10.955817594679122, 'f', NULL, NULL);
INSERT INTO hallway.sample VALUES (1, '2027-01-15 09:53:50+00', 42, 2.255464813329837, 'f', NULL, NULL);
INSERT INTO hallway.sample VALUES (1, '2027-01-15 09:55:50+00', 44, -9.660789501453246, 'f', NULL, NULL);
INSERT INTO hallway.sample VALUES (1, '2027-01-15 09:55:51+00', 47, 12.935308120892344, 'f', NULL, NULL);
INSERT INTO hallway.sample VALUES (1, '2027-01-15 10:11:14+00', 55, 26.439511340322717, 'f', NULL, NULL);
INSERT INTO hallway.sample VALUES (1, '2027-01-15 10:18:54+00', 58, 13.1982822868736, 'f', NULL, NULL);
INSERT INTO hallway.sample VALUES (1, '2027-01-15 10:19:54+00', 59, 6.263957045433944, 'f', NULL, NULL);
INSERT INTO hallway.sample VALUES (1, '2027-01-15 10:19:55+00', 60, 3.6358985646633357, 'f', NULL, NULL);
INSERT INTO hallway.sample VALUES (2, '2027-01-15 08:00:00+00', 1, 1, 'b', NULL, NULL);
INSERT INTO hallway.sample VALUES (2, '2027-01-15 08:06:40+00', 2, 7.5, 'f', NULL, NULL);
INSERT INTO hallway.sample VALUES (2, '2027-01-15 08:13:21+00', 4, 5, 'i', NULL, NULL);
INSERT INTO hallway.sample VALUES (2, '2027-01-15 08:13:21+00', 6, 1, 'b', NULL, NULL);
INSERT INTO hallway.sample VALUES (2, '2027-01-15 08:13:21+00', 7, 7.5, 'f', NULL, NULL);
INSERT INTO hallway.sample VALUES (2, '2027-01-15 08:20:02+00', 9, 0, 'b', NULL, NULL);
INSERT INTO hallway.sample VALUES (2, '2027-01-15 08:26:42+00', 10, 1, 'b', NULL, NULL);
INSERT INTO hallway.sample VALUES (2, '2027-01-15 08:47:42+00', 15, 7.5, 'f', NULL, NULL);
INSERT INTO hallway.sample VALUES (2, '2027-01-15 09:03:04+00', 22, 7.5, 'f', NULL, NULL);
INSERT INTO hallway.sample VALUES (2, '2027-01-15 09:09:45+00', 24, 5, 'i', NULL, NULL);
INSERT INTO hallway.sample VALUES (2, '2027-01-15 09:16:25+00', 25, NULL, 'n', NULL, NULL);
INSERT INTO hallway.sample VALUES (2, '2027-01-15 09:18:27+00', 32, NULL, 'n', NULL, NULL);
INSERT INTO hallway.sample VALUES (2, '2027-01-15 09:18:28+00', 33, 5, 'i', NULL, NULL);
INSERT INTO hallway.sample VALUES (2, '2027-01-15 09:54:50+00', 43, 7.5, 'f', NULL, NULL);
INSERT INTO hallway.sample VALUES (2, '2027-01-15 09:55:52+00', 48, 1, 'b', NULL, NULL);
INSERT INTO hallway.sample VALUES (2, '2027-01-15 10:02:32+00', 49, 5, 'i', NULL, NULL);
INSERT INTO hallway.sample VALUES (2, '2027-01-15 10:03:33+00', 51, 5, 'i', NULL, NULL);
INSERT INTO hallway.sample VALUES (2, '2027-01-15 10:04:33+00', 52, 0, 'b', NULL, NULL);
INSERT INTO hallway.sample VALUES (2, '2027-01-15 10:04:33+00', 53, 5, 'i', NULL, NULL);
INSERT INTO hallway.sample VALUES (2, '2027-01-15 10:12:14+00', 57, 0, 'b', NULL, NULL);
INSERT INTO hallway.sample VALUES (3, '2027-01-15 08:13:21+00', 5, 72.2, 'f', NULL, NULL);
INSERT INTO hallway.sample VALUES (3, '2027-01-15 08:20:01+00', 8, 76.4, 'f', NULL, 8);
INSERT INTO hallway.sample VALUES (3, '2027-01-15 08:34:22+00', 13, 67, 'f', NULL, 8);
INSERT INTO hallway.sample VALUES (3, '2027-01-15 08:41:02+00', 14, 85.3, 'f', NULL, 8);
INSERT INTO hallway.sample VALUES (3, '2027-01-15 08:48:43+00', 17, 37.1, 'f', NULL, 8);
INSERT INTO hallway.sample VALUES (3, '2027-01-15 09:02:03+00', 19, 22.7, 'f', NULL, 19);
INSERT INTO hallway.sample VALUES (3, '2027-01-15 09:02:04+00', 20, 54.8, 'f', NULL, 19);
INSERT INTO hallway.sample VALUES (3, '2027-01-15 09:03:04+00', 21, 91, 'f', NULL, 19);
INSERT INTO hallway.sample VALUES (3, '2027-01-15 09:03:05+00', 23, 20.5, 'f', NULL, 19);
INSERT INTO hallway.sample VALUES (3, '2027-01-15 09:16:25+00', 26, 78.6, 'f', NULL, 19);
INSERT INTO hallway.sample VALUES (3, '2027-01-15 09:19:28+00', 34, 45.5, 'f', NULL, 19);
INSERT INTO hallway.sample VALUES (3, '2027-01-15 09:32:49+00', 37, 97.6, 'f', NULL, 19);
INSERT INTO hallway.sample VALUES (3, '2027-01-15 09:46:09+00', 39, 42.7, 'f', NULL, 19);
INSERT INTO hallway.sample VALUES (3, '2027-01-15 09:53:49+00', 41, 5.9, 'f', NULL, 19);
INSERT INTO hallway.sample VALUES (3, '2027-01-15 09:55:50+00', 45, 96.2, 'f', NULL, 19);
INSERT INTO hallway.sample VALUES (3, '2027-01-15 09:55:51+00', 46, 3.7, 'f', NULL, 19);
INSERT INTO hallway.sample VALUES (3, '2027-01-15 10:03:32+00', 50, 90, 'f', NULL, 19);
INSERT INTO hallway.sample VALUES (3, '2027-01-15 10:11:13+00', 54, 72.5, 'f', NULL, 19);
INSERT INTO hallway.sample VALUES (3, '2027-01-15 10:12:14+00', 56, 25.5, 'f', NULL, 19);
INSERT INTO hallway.series VALUES (1, 'attribute', 'd1', 'x', 'number', false, 21, '2027-01-15 08:06:41+00', '2027-01-15 10:19:55+00', NULL, '\x94cf000001a318dc68f8cb400d1651fc966b40cb400d1651fc966b409397cf000001a318d7e8a0cb400d1651fc966b40cb403a7083d0b0e83ecb415aa54ba310af56ce0004805803cb40337655511f2f8f97cf000001a318ca2d00cb400d1651fc966b40cb403a7083d0b0e83ecb4174aca8dc8c714ece00123bf804cb40407bb463b896ac97cf000001a316a4dc00cbc02352530064904dcb403a7083d0b0e83ecb418cff7a4ac460a4ce0079fa9015cb406121d8c3858eb7');
INSERT INTO hallway.series VALUES (2, 'attribute', 'd2', 'x', 'number', false, 20, '2027-01-15 08:00:00+00', '2027-01-15 10:12:14+00', NULL, '\x94cf000001a318d56030cb0000000000000000cb00000000000000009397cf000001a318d354c0cb0000000000000000cb4014000000000000cb4124726000000000ce00020b7001cb000000000000000097cf000001a318ca2d00cb0000000000000000cb4014000000000000cb41475c7800000000ce000b333005cb402200000000000097cf000001a316a4dc00cb0000000000000000cb401e000000000000cb418058e020000000ce00772fb812cb4041000000000000');
INSERT INTO hallway.series VALUES (3, 'attribute', 'd3', 'x', 'number', false, 19, '2027-01-15 08:13:21+00', '2027-01-15 10:12:14+00', 19, '\x94cf000001a318d56030cb4039800000000000cb40398000000000009397cf000001a318d354c0cb4039800000000000cb4056800000000000cb4164f76e80000000ce00020b7002cb403980000000000097cf000001a318ca2d00cb400d99999999999acb4056800000000000cb4186444e20000000ce000b333003cb405bf3333333333397cf000001a316a4dc00cb400d99999999999acb4058666666666666cb41b84610c8000000ce006cd74813cb4080080000000000');
INSERT INTO hallway.state VALUES ('sensor.shown', 15, '84', '{"friendly_name":"shown"}', 1795335299.3245342, 1795335299.3245342, '');
INSERT INTO hallway.state VALUES ('variable.answer', 17, '42', '{"friendly_name":"$answer","unit_of_measurement":"W"}', 1795335299.3229601, 1795335299.3229601, '');
INSERT INTO hallway.state VALUES ('variable.double', 20, '84', '{"friendly_name":"$double","expression":"$answer * 2"}', 1795335299.3235705, 1795335299.3235705, '');
INSERT INTO hallway.state VALUES ('problem.broken', 16, 'parked', '{"error":"there is no class Nonsense","friendly_name":"broken"}', 1795335299.3225293, 1795335299.3225293, '');
INSERT INTO hallway.state VALUES ('input.field', 12, '', '{"type":"string","friendly_name":"field"}', 1795335299.3223598, 1795335299.3223598, '');
INSERT INTO hallway.state VALUES ('input.answer_field', 13, '42', '{"type":"string","friendly_name":"answer_field"}', 1795335299.323134, 1795335299.323134, '');
INSERT INTO hallway.state VALUES ('binary_sensor.door', 5, 'on', '{"device_class":"opening","friendly_name":"door"}', 1795335299.3160324, 1795335299.3160324, '');
INSERT INTO hallway.state VALUES ('sensor.temperature_temperature', 7, 'unknown', '{"unit_of_measurement":"°C","friendly_name":"temperature Temperature"}', 1795335299.3161778, 1795335299.3161778, '');
INSERT INTO hallway.state VALUES ('variable.text', 19, 'hello ␀', '{"friendly_name":"$text"}', 1795335299.3309696, 1795335299.3309696, '');
INSERT INTO hallway.state VALUES ('binary_sensor.somebody', 6, 'off', '{"device_class":"presence","friendly_name":"somebody"}', 1795335299.3160899, 1795335299.3160899, '');
INSERT INTO hallway.state VALUES ('sensor.one', 23, 'a␀b␛␀', '{"text":"\u0000 ␛␛"}', 1795335299.3308644, 1795335299.3308644, 'reported');
INSERT INTO hallway.state VALUES ('media_player.player', 11, 'idle', '{"volume_level":0.5,"friendly_name":"player"}', 1795335299.322205, 1795335299.322205, '');
INSERT INTO hallway.state VALUES ('sensor.temperature_humidity', 8, 'unknown', '{"unit_of_measurement":"%","friendly_name":"temperature Humidity"}', 1795335299.3161778, 1795335299.3161778, '');
INSERT INTO hallway.state VALUES ('thermostat.heating', 4, '20', '{"unit_of_measurement":"°C","mode":"auto","battery":"ok","friendly_name":"heating"}', 1795335299.3159845, 1795335299.3159845, '');
INSERT INTO hallway.state VALUES ('buttons.buttons', 9, 'unknown', '{"buttons":["one","two"],"friendly_name":"buttons"}', 1795335299.3162665, 1795335299.3162665, '');
INSERT INTO hallway.state VALUES ('variable.warm', 21, 'unknown', '{"friendly_name":"$warm","expression":"$temperature.temperature + 1"}', 1795335299.3233619, 1795335299.3233619, '');
INSERT INTO hallway.state VALUES ('light.dimmer', 2, 'off', '{"friendly_name":"Küche"}', 1795335299.315797, 1795335299.315797, '');
INSERT INTO hallway.state VALUES ('variable.wake', 18, '07:00', '{"friendly_name":"$wake"}', 1795335299.323258, 1795335299.323258, '');
INSERT INTO hallway.state VALUES ('input.time_field', 14, '07:00', '{"type":"time","friendly_name":"time_field"}', 1795335299.3232803, 1795335299.3232803, '');
INSERT INTO hallway.state VALUES ('switch.switch', 1, 'off', '{"friendly_name":"switch"}', 1795335299.3152783, 1795335299.3152783, '');
INSERT INTO hallway.state VALUES ('timer.watch', 10, 'idle', '{"time":0,"friendly_name":"watch"}', 1795335299.316331, 1795335299.316331, '');
INSERT INTO hallway.state VALUES ('group.all', 22, 'on', '{"auto":false,"entity_id":["switch.switch","light.dimmer","binary_sensor.door"],"friendly_name":"all"}', 1795335299.3237576, 1795335299.3237576, '');
INSERT INTO hallway.state VALUES ('cover.shutter', 3, 'stopped', '{"friendly_name":"shutter"}', 1795335299.3159025, 1795335299.3159025, '');
INSERT INTO hallway.variable VALUES ('text', '"hello \u0000"');
INSERT INTO hallway.version VALUES (1);
ALTER TABLE ONLY hallway.definition
    ADD CONSTRAINT definition_pkey PRIMARY KEY (kind, id, version);
ALTER TABLE ONLY hallway.home
    ADD CONSTRAINT home_pkey PRIMARY KEY (one);
ALTER TABLE ONLY hallway.kept_id
    ADD CONSTRAINT kept_id_pkey PRIMARY KEY (owner);
ALTER TABLE ONLY hallway.more
    ADD CONSTRAINT more_pkey PRIMARY KEY (series, id);
ALTER TABLE ONLY hallway.note
    ADD CONSTRAINT note_pkey PRIMARY KEY (owner, name);
ALTER TABLE ONLY hallway.plan
    ADD CONSTRAINT plan_pkey PRIMARY KEY (device_id, name);
ALTER TABLE ONLY hallway.sample
    ADD CONSTRAINT sample_pkey PRIMARY KEY (series, at, id);
ALTER TABLE ONLY hallway.series
    ADD CONSTRAINT series_kind_owner_name_key UNIQUE (kind, owner, name);
ALTER TABLE ONLY hallway.series
    ADD CONSTRAINT series_pkey PRIMARY KEY (number);
ALTER TABLE ONLY hallway.state
    ADD CONSTRAINT state_pkey PRIMARY KEY (entity_id);
ALTER TABLE ONLY hallway.value
    ADD CONSTRAINT value_pkey PRIMARY KEY (device_id, attribute);
ALTER TABLE ONLY hallway.variable
    ADD CONSTRAINT variable_pkey PRIMARY KEY (name);
CREATE INDEX bucket_age ON hallway.bucket USING btree (seconds, at);
CREATE INDEX bucket_time ON hallway.bucket USING btree (series, seconds, at);
