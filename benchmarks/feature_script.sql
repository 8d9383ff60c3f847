-- The features of the benchmark as an analyst would write them by hand for DuckDB.
-- Given: views core_<source>, and the variable as_of. Left: table feature_matrix.
-- Sums of money are decimals, as sums of floats depend on the order of the rows.

CREATE MACRO known(posted) AS posted IS NULL OR posted <= getvariable('as_of');
CREATE MACRO days(a, b) AS (epoch(b)::BIGINT - epoch(a)::BIGINT) / 86400.0::DOUBLE;
CREATE MACRO exact(x) AS x::DECIMAL(28, 8);

-- What other departments know: the newest row of each key.
CREATE TEMP TABLE suit AS
SELECT claim_no, filed, agent_phone, _key_agent_phone AS agent_key
FROM core_court_cases WHERE known(_known_at) AND claim_no IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY claim_no ORDER BY _known_at DESC NULLS LAST, _file, _line) = 1;

CREATE TEMP TABLE appraisal AS
SELECT claim_no, agency, _key_agency AS agency_key, commissioned_by, objected
FROM core_appraisals WHERE known(_known_at) AND claim_no IS NOT NULL AND kind = 'vehicle'
QUALIFY row_number() OVER (PARTITION BY claim_no ORDER BY _known_at DESC NULLS LAST, _file, _line) = 1;

CREATE TEMP TABLE assignment AS
SELECT claim_no, assigned_date
FROM core_assignments WHERE known(_known_at) AND claim_no IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY claim_no ORDER BY _known_at DESC NULLS LAST, _file, _line) = 1;

CREATE TEMP TABLE accident AS
SELECT _key_plate_a AS plate, time, responsibility_a, kind, driver_a_id, _key_driver_a_id AS driver_key, driver_b_id
FROM core_accidents WHERE known(_known_at) AND _key_plate_a IS NOT NULL AND time IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY _key_plate_a, time ORDER BY _known_at DESC NULLS LAST, _file, _line) = 1;

CREATE TEMP TABLE policy AS
SELECT policy_no, start_date
FROM core_policies WHERE known(_known_at) AND policy_no IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY policy_no ORDER BY _known_at DESC NULLS LAST, _file, _line) = 1;

CREATE TEMP TABLE car AS
SELECT _key_plate AS plate, vehicle_value
FROM core_policies WHERE known(_known_at) AND _key_plate IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY _key_plate ORDER BY _known_at DESC NULLS LAST, _file, _line) = 1;

CREATE TEMP TABLE firm AS
SELECT _key_name AS name, uscc
FROM core_companies WHERE known(_known_at) AND _key_name IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY _key_name ORDER BY _known_at DESC NULLS LAST, _file, _line) = 1;

CREATE TEMP TABLE former_firm AS
SELECT _key_former_name AS name, uscc
FROM core_companies WHERE known(_known_at) AND _key_former_name IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY _key_former_name ORDER BY _known_at DESC NULLS LAST, _file, _line) = 1;

-- The claims with all that is looked up and derived.
CREATE TEMP TABLE claim AS
WITH joined AS (
  SELECT c.claim_no, c._key_claimant_id AS claimant, c.claimant_id, c._key_plate AS vehicle, c.plate,
    c.insurer, c.vehicle_class, c.impact_part, c.injury, c.loss_assessed, c.claimed_amount, c.assessed_amount,
    c.payee_account, c._key_claimant_phone AS phone, c.place_grid, c.accident_time, c.report_time,
    coalesce(c.shop_uscc, f.uscc, g.uscc, c.shop) AS shop_code,
    s.filed, s.agent_phone, s.agent_key, p.agency, p.agency_key, p.commissioned_by, p.objected, a.assigned_date,
    x.responsibility_a, x.kind AS accident_kind, x.driver_a_id AS driver_a, x.driver_key AS driver, x.driver_b_id AS driver_b,
    o.start_date, v.vehicle_value
  FROM core_claims c
  LEFT JOIN suit s USING (claim_no)
  LEFT JOIN appraisal p USING (claim_no)
  LEFT JOIN assignment a USING (claim_no)
  LEFT JOIN accident x ON x.plate = c._key_plate AND x.time = c.accident_time
  LEFT JOIN policy o ON o.policy_no = c.policy_no
  LEFT JOIN car v ON v.plate = c._key_plate
  LEFT JOIN firm f ON f.name = c._key_shop
  LEFT JOIN former_firm g ON g.name = c._key_shop
  WHERE known(c._known_at)
)
SELECT *,
  filed IS NOT NULL AS is_litigated,
  assigned_date IS NOT NULL AS is_assigned,
  coalesce(NOT loss_assessed AND commissioned_by = 'party', false) AS is_unassessed_party,
  responsibility_a = 'none' AS is_blameless,
  claimed_amount < 3000 AS is_small,
  claimed_amount / nullif(assessed_amount, 0) AS claimed_ratio,
  CASE WHEN claimed_amount + 1 > 0 THEN ln(claimed_amount + 1) END AS claimed_log
FROM joined;

-- Histories: one grouping a key.
CREATE TEMP TABLE bills AS
SELECT claim_no, count(*) AS lines,
  sum(exact(labour))::DOUBLE / nullif(count(labour), 0) AS labour_mean,
  max(price) AS price_max,
  sum((floor(price / 100) * 100 = price)::INT)::DOUBLE / nullif(count(price), 0) AS round_share
FROM core_repair_bills WHERE known(_known_at) AND claim_no IS NOT NULL GROUP BY claim_no;

CREATE TEMP TABLE by_claimant AS
SELECT claimant, count(DISTINCT insurer) AS insurers, count(DISTINCT plate) AS vehicles,
  count(DISTINCT shop_code) AS shops, count_if(is_litigated) AS suits
FROM claim WHERE claimant IS NOT NULL GROUP BY claimant;

CREATE TEMP TABLE by_vehicle AS
SELECT vehicle, count(DISTINCT driver_a) AS drivers, count(DISTINCT claimant_id) AS claimants
FROM claim WHERE vehicle IS NOT NULL GROUP BY vehicle;

CREATE TEMP TABLE by_driver AS
SELECT driver, count(DISTINCT plate) AS vehicles, count(DISTINCT insurer) AS insurers,
  count(DISTINCT impact_part) AS parts, count(DISTINCT driver_b) AS counterparties
FROM claim WHERE driver IS NOT NULL GROUP BY driver;

CREATE TEMP TABLE by_account AS
SELECT payee_account, count(DISTINCT claimant_id) AS claimants, count(*) AS claims,
  count_if(is_litigated) / count(*) AS litigated_share
FROM claim WHERE payee_account IS NOT NULL GROUP BY payee_account;

CREATE TEMP TABLE by_phone AS
SELECT phone, count(DISTINCT claimant_id) AS claimants FROM claim WHERE phone IS NOT NULL GROUP BY phone;

CREATE TEMP TABLE by_place AS
SELECT place_grid, count(*) AS claims, count_if(is_blameless) / nullif(count(is_blameless), 0) AS blameless_share
FROM claim WHERE place_grid IS NOT NULL GROUP BY place_grid;

CREATE TEMP TABLE by_shop AS
SELECT shop_code, count(*) AS claims, count_if(is_litigated) AS litigated,
  count_if(is_assigned) AS assigned, count_if(is_unassessed_party) AS unassessed,
  sum(exact(least(claimed_ratio, 10)))::DOUBLE / count(least(claimed_ratio, 10)) AS ratio_mean,
  count(DISTINCT agency) AS agencies, count(DISTINCT agent_phone) AS agents
FROM claim WHERE shop_code IS NOT NULL GROUP BY shop_code;

CREATE TEMP TABLE by_shop_agency AS
SELECT shop_code, agency_key, count_if(is_litigated) AS litigated
FROM claim WHERE shop_code IS NOT NULL AND agency_key IS NOT NULL GROUP BY ALL;

CREATE TEMP TABLE by_shop_agent AS
SELECT shop_code, agent_key, count_if(is_litigated) AS litigated
FROM claim WHERE shop_code IS NOT NULL AND agent_key IS NOT NULL GROUP BY ALL;

CREATE TEMP TABLE by_agency AS
SELECT agency_key, count(*) AS claims, count_if(objected) / nullif(count(objected), 0) AS objected_share,
  count(DISTINCT shop_code) AS shops,
  sum(exact(least(claimed_ratio, 10)))::DOUBLE / count(least(claimed_ratio, 10)) AS ratio_mean
FROM claim WHERE agency_key IS NOT NULL GROUP BY agency_key;

CREATE TEMP TABLE paid_by AS
SELECT _key_person_id AS person, _key_employer_uscc AS employer, count(*) AS quarters
FROM core_social_insurance WHERE known(_known_at) AND person IS NOT NULL AND employer IS NOT NULL GROUP BY ALL;

-- Windows on both sides of the accident.
CREATE TEMP TABLE driver_window AS
SELECT claim_no,
  count(*) OVER driver_near AS count_90d, count(*) OVER driver_far AS count_365d,
  count(*) FILTER (is_blameless) OVER driver_near / nullif(count(is_blameless) OVER driver_near, 0) AS blameless_90d,
  count(*) FILTER (is_blameless) OVER driver_far / nullif(count(is_blameless) OVER driver_far, 0) AS blameless_365d,
  count(*) FILTER (is_small) OVER driver_near / nullif(count(is_small) OVER driver_near, 0) AS small_90d,
  count(*) FILTER (is_small) OVER driver_far / nullif(count(is_small) OVER driver_far, 0) AS small_365d
FROM claim WHERE driver IS NOT NULL
WINDOW driver_near AS (PARTITION BY driver ORDER BY accident_time
    RANGE BETWEEN INTERVAL 90 DAYS PRECEDING AND INTERVAL 90 DAYS FOLLOWING),
  driver_far AS (PARTITION BY driver ORDER BY accident_time
    RANGE BETWEEN INTERVAL 365 DAYS PRECEDING AND INTERVAL 365 DAYS FOLLOWING);

CREATE TEMP TABLE driver_accidents AS
SELECT c.claim_no, count(*) AS accidents,
  count_if(a.responsibility_a = 'none') / nullif(count(a.responsibility_a), 0) AS blameless_share
FROM claim c JOIN core_accidents a ON a._key_driver_a_id = c.driver
  AND a.time BETWEEN c.accident_time - INTERVAL 365 DAYS AND c.accident_time + INTERVAL 365 DAYS
WHERE known(a._known_at) GROUP BY c.claim_no;

CREATE TEMP TABLE claimant_window AS
SELECT claim_no, count(*) OVER claimant_far AS count_365d, count(*) FILTER (is_litigated) OVER claimant_far AS litigated_365d
FROM claim WHERE claimant IS NOT NULL
WINDOW claimant_far AS (PARTITION BY claimant ORDER BY accident_time
    RANGE BETWEEN INTERVAL 365 DAYS PRECEDING AND INTERVAL 365 DAYS FOLLOWING);

CREATE TEMP TABLE vehicle_window AS
SELECT claim_no, count(*) OVER vehicle_near AS count_90d
FROM claim WHERE vehicle IS NOT NULL
WINDOW vehicle_near AS (PARTITION BY vehicle ORDER BY accident_time
    RANGE BETWEEN INTERVAL 90 DAYS PRECEDING AND INTERVAL 90 DAYS FOLLOWING);

-- Robust z of the claimed sum among claims of the same kind of car, impact and injury or not.
CREATE TEMP TABLE peers AS
WITH centre AS (
  SELECT vehicle_class, impact_part, injury, count(*) AS n, median(claimed_log) AS median
  FROM claim WHERE claimed_log IS NOT NULL GROUP BY ALL
), whole AS (
  SELECT median(claimed_log) AS median_all FROM claim
), spread AS (
  SELECT c.vehicle_class, c.impact_part, c.injury, any_value(n) AS n, any_value(median) AS median,
    median(abs(claimed_log - median)) AS mad,
    sum(exact(abs(claimed_log - median)))::DOUBLE / count(*) AS deviation
  FROM claim c JOIN centre g ON c.vehicle_class IS NOT DISTINCT FROM g.vehicle_class
    AND c.impact_part IS NOT DISTINCT FROM g.impact_part AND c.injury IS NOT DISTINCT FROM g.injury
  WHERE claimed_log IS NOT NULL GROUP BY ALL
), spread_all AS (
  SELECT any_value(median_all) AS median_all, median(abs(claimed_log - median_all)) AS mad_all,
    sum(exact(abs(claimed_log - median_all)))::DOUBLE / count(claimed_log) AS deviation_all
  FROM claim, whole
)
SELECT vehicle_class, impact_part, injury, median, median_all,
  if(n >= 20, n::DOUBLE / (n + 20.0::DOUBLE), 0) AS weight,
  if(mad > 0, mad * 1.4826::DOUBLE, deviation * 1.2533::DOUBLE) AS scale,
  if(mad_all > 0, mad_all * 1.4826::DOUBLE, deviation_all * 1.2533::DOUBLE) AS scale_all
FROM spread, spread_all;

CREATE TABLE feature_matrix AS
SELECT c.claim_no AS unit_id, getvariable('as_of') AS as_of,
  c.injury, loss_assessed,
  c.claim_no IN (SELECT claim_no FROM core_court_cases WHERE known(_known_at) AND claim_no IS NOT NULL) AS coverage_court_cases,
  c.claim_no IN (SELECT claim_no FROM core_appraisals WHERE known(_known_at) AND claim_no IS NOT NULL) AS coverage_appraisals,
  b.claim_no IS NOT NULL AS coverage_repair_bills,
  coalesce(c.vehicle IN (SELECT plate FROM car), false) AS coverage_policies,
  coalesce(c.claimant IN (SELECT _key_person_id FROM core_social_insurance WHERE known(_known_at) AND _key_person_id IS NOT NULL), false) AS coverage_social_insurance,
  coalesce(c.claimant IN (SELECT _key_person_id FROM core_persons WHERE known(_known_at) AND _key_person_id IS NOT NULL), false) AS coverage_persons,
  is_litigated, is_assigned, is_unassessed_party, is_blameless,
  accident_kind = 'single' AS is_single_car,
  hour(accident_time) >= 22 OR hour(accident_time) < 5 AS is_night,
  claimed_ratio, if(c.injury, NULL, claimed_amount / nullif(vehicle_value, 0)) AS claimed_to_value, claimed_log,
  days(accident_time, report_time) AS days_to_report,
  days(accident_time, assigned_date) AS days_to_assignment,
  days(accident_time, filed) AS days_to_suit,
  days(start_date, accident_time) AS days_since_policy,
  c.vehicle_class = 'private' AS vehicle_class_is_private,
  c.vehicle_class = 'taxi' AS vehicle_class_is_taxi,
  c.vehicle_class = 'ride_hailing' AS vehicle_class_is_ride_hailing,
  c.vehicle_class = 'freight' AS vehicle_class_is_freight,
  c.vehicle_class = 'fleet' AS vehicle_class_is_fleet,
  coalesce(b.lines, 0)::DOUBLE AS claim_repair_bills_lines,
  b.labour_mean AS claim_repair_bills_labour_mean,
  b.price_max AS claim_repair_bills_price_max,
  b.round_share AS claim_repair_bills_round_share,
  cw.count_365d::DOUBLE AS claimant_claims_count_365d,
  cw.litigated_365d::DOUBLE AS claimant_claims_litigated_365d,
  p.insurers::DOUBLE AS claimant_claims_insurers,
  p.vehicles::DOUBLE AS claimant_claims_vehicles,
  p.shops::DOUBLE AS claimant_claims_shops,
  p.suits::DOUBLE AS claimant_claims_suits,
  vw.count_90d::DOUBLE AS vehicle_claims_count_90d,
  v.drivers::DOUBLE AS vehicle_claims_drivers,
  v.claimants::DOUBLE AS vehicle_claims_claimants,
  w.count_90d::DOUBLE AS driver_claims_count_90d,
  w.count_365d::DOUBLE AS driver_claims_count_365d,
  w.blameless_90d AS driver_claims_blameless_share_90d,
  w.blameless_365d AS driver_claims_blameless_share_365d,
  w.small_90d AS driver_claims_small_share_90d,
  w.small_365d AS driver_claims_small_share_365d,
  d.vehicles::DOUBLE AS driver_claims_vehicles,
  d.insurers::DOUBLE AS driver_claims_insurers,
  d.parts::DOUBLE AS driver_claims_parts,
  d.counterparties::DOUBLE AS driver_claims_counterparties,
  if(c.driver IS NOT NULL, coalesce(da.accidents, 0), NULL)::DOUBLE AS driver_accidents_count_365d,
  da.blameless_share AS driver_accidents_blameless_share_365d,
  a.claimants::DOUBLE AS payee_account_claims_claimants,
  a.claims::DOUBLE AS payee_account_claims_count,
  a.litigated_share AS payee_account_claims_litigated_share,
  t.claimants::DOUBLE AS claimant_phone_claims_claimants,
  g.claims::DOUBLE AS place_grid_claims_count,
  g.blameless_share AS place_grid_claims_blameless_share,
  round((claimed_log - (weight * median + (1 - weight) * median_all))
    / nullif(weight * scale + (1 - weight) * scale_all, 0) * 20) / 20 AS claimed_log_robust_z_impact_peers,
  s.claims::DOUBLE AS shop_claims_count,
  s.litigated::DOUBLE AS shop_claims_litigated,
  s.litigated / s.claims AS shop_claims_litigated_share,
  s.assigned / s.claims AS shop_claims_assigned_share,
  s.unassessed / s.claims AS shop_claims_unassessed_share,
  s.ratio_mean AS shop_claims_ratio_mean,
  s.agencies::DOUBLE AS shop_claims_agencies,
  s.agents::DOUBLE AS shop_claims_agents,
  sa.litigated::DOUBLE AS shop_agency_litigated,
  sg.litigated::DOUBLE AS shop_agent_litigated,
  n.claims::DOUBLE AS agency_claims_count,
  n.objected_share AS agency_claims_objected_share,
  n.shops::DOUBLE AS agency_claims_shops,
  n.ratio_mean AS agency_claims_ratio_mean,
  if(c.claimant IS NOT NULL AND c.shop_code IS NOT NULL, coalesce(pb.quarters, 0), NULL)::DOUBLE AS claimant_paid_by_shop_quarters,
  sa.litigated / nullif(s.litigated, 0) AS closed_pair
FROM claim c
LEFT JOIN bills b ON b.claim_no = c.claim_no
LEFT JOIN by_claimant p ON p.claimant = c.claimant
LEFT JOIN claimant_window cw ON cw.claim_no = c.claim_no
LEFT JOIN by_vehicle v ON v.vehicle = c.vehicle
LEFT JOIN vehicle_window vw ON vw.claim_no = c.claim_no
LEFT JOIN by_driver d ON d.driver = c.driver
LEFT JOIN driver_window w ON w.claim_no = c.claim_no
LEFT JOIN driver_accidents da ON da.claim_no = c.claim_no
LEFT JOIN by_account a ON a.payee_account = c.payee_account
LEFT JOIN by_phone t ON t.phone = c.phone
LEFT JOIN by_place g ON g.place_grid = c.place_grid
LEFT JOIN peers z ON z.vehicle_class IS NOT DISTINCT FROM c.vehicle_class
  AND z.impact_part IS NOT DISTINCT FROM c.impact_part AND z.injury IS NOT DISTINCT FROM c.injury
LEFT JOIN by_shop s ON s.shop_code = c.shop_code
LEFT JOIN by_shop_agency sa ON sa.shop_code = c.shop_code AND sa.agency_key = c.agency_key
LEFT JOIN by_shop_agent sg ON sg.shop_code = c.shop_code AND sg.agent_key = c.agent_key
LEFT JOIN by_agency n ON n.agency_key = c.agency_key
LEFT JOIN paid_by pb ON pb.person = c.claimant AND pb.employer = c.shop_code;
