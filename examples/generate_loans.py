#!/usr/bin/env python3
"""Make loans like Lending Club's: any number of rows, the same rows for the same seed.

    generate_loans.py OUT --rows 1000000 --files 4 [--seed 1]

OUT becomes a folder of Parquet files. Whether a loan went bad depends on its grade, the borrower's debt-to-income ratio and
income, so that a model has something to learn. Amounts are dollars, rates and ratios percent; dates are first days of months.
"""
import argparse
import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

STATES = {"CA": 142, "TX": 84, "NY": 82, "FL": 71, "IL": 40, "NJ": 36, "PA": 34, "OH": 33, "GA": 33, "VA": 28, "NC": 28,
          "MI": 26, "MD": 24, "AZ": 24, "MA": 23, "WA": 21, "CO": 21, "MN": 17, "IN": 17, "MO": 16, "TN": 16, "CT": 16,
          "NV": 15, "WI": 13, "SC": 12, "AL": 12, "OR": 12, "LA": 11, "KY": 10, "OK": 9, "KS": 8, "AR": 8, "UT": 7,
          "MS": 6, "NM": 5, "NH": 5, "HI": 5, "RI": 4, "WV": 4, "NE": 3, "MT": 3, "DE": 3, "ME": 3, "DC": 2, "AK": 2,
          "ID": 2, "VT": 2, "SD": 2, "WY": 2, "ND": 2, "IA": 1}
GRADES = {"A": 18, "B": 29, "C": 29, "D": 14, "E": 6, "F": 3, "G": 1}
PURPOSES = {"debt_consolidation": 58, "credit_card": 23, "home_improvement": 7, "other": 6, "major_purchase": 2,
            "medical": 1, "small_business": 1, "car": 1, "vacation": 1}
HOMES = {"MORTGAGE": 50, "RENT": 39, "OWN": 11}
VERIFIED = {"Source Verified": 39, "Verified": 31, "Not Verified": 30}
EMPLOYED = {"10+ years": 33, "2 years": 9, "< 1 year": 8, "3 years": 8, "1 year": 7, "5 years": 6, "4 years": 6,
            "6 years": 5, "8 years": 5, "7 years": 4, "9 years": 4, "n/a": 5}
TITLES = ["Teacher", "Manager", "Registered Nurse", "Driver", "Owner", "Supervisor", "Sales", "Engineer", "Analyst",
          "Accountant", "Mechanic", "Electrician", "Technician", "Clerk", "Cook", "Consultant"]


def pick(rng, weights, n):
    """n draws from {value: weight}: the values as strings, and their places."""
    share = np.array(list(weights.values()), float)
    place = rng.choice(len(share), n, p=share / share.sum()).astype(np.int32)
    return decode(place, list(weights)), place


def decode(place, values, missing=None):
    return pa.DictionaryArray.from_arrays(pa.array(place.astype(np.int32), mask=missing), pa.array(values)).cast(pa.string())


def cents(x):
    return np.round(x, 2)


def loans(first, n, seed):
    """Loans number first to first+n-1 as an Arrow table."""
    rng = np.random.default_rng((seed, first))
    grade_names, grade = pick(rng, GRADES, n)
    step = rng.integers(0, 5, n)
    amount = np.clip(np.round(rng.gamma(2.6, 5700, n) / 25) * 25, 1000, 40000)
    rate = np.round(5.3 + 3.4 * grade + 0.6 * step + rng.normal(0, 0.1, n), 2)
    months = np.where(rng.random(n) < 0.1 + 0.08 * grade, 60, 36)
    monthly = rate / 1200
    instalment = cents(amount * monthly / (1 - (1 + monthly) ** -months))
    income = np.round(np.exp(rng.normal(11.1, 0.55, n)), -2)
    ratio = np.clip(np.round(rng.normal(18 + 0.6 * grade, 8, n), 2), 0, 60)
    util = np.clip(np.round(rng.normal(50 + 1.5 * grade, 23, n), 1), 0, 110)
    inquiries = np.minimum(rng.poisson(0.4 + 0.1 * grade, n), 8)
    homes, home = pick(rng, HOMES, n)
    risk = -2.3 + 0.45 * (grade - 1.5 + step / 5) + 0.025 * (ratio - 18) - 0.4 * (np.log(income) - 11.1) + 0.1 * inquiries
    bad = rng.random(n) < 1 / (1 + np.exp(-risk))
    paid_share = np.where(bad, rng.beta(1.5, 2.2, n), 1.0)
    paid = cents(instalment * months * paid_share)
    issued = (rng.integers(2012 * 12, 2018 * 12, n) - 1970 * 12).astype("datetime64[M]").astype("datetime64[D]")
    status = decode(np.where(bad, 1, 0), ["Fully Paid", "Charged Off"])
    missing_title = rng.random(n) < 0.06
    places = rng.integers(0, len(TITLES) * 400, n)
    titles = [f"{t} {i}" if i else t for i in range(400) for t in TITLES]
    states, _ = pick(rng, STATES, n)
    text_rate = decode(np.round(rate * 100).astype(np.int32), [f"{v / 100:.2f}%" for v in range(int(rate.max() * 100) + 2)])
    return pa.table({
        "id": np.arange(first, first + n),
        "member_id": rng.permutation(n) + first + 1_000_000,
        "loan_amnt": amount, "funded_amnt": amount,
        "term": decode((months == 60).astype(np.int32), [" 36 months", " 60 months"]),
        "int_rate": text_rate, "installment": instalment,
        "grade": grade_names,
        "sub_grade": decode(grade * 5 + step, [f"{g}{i}" for g in GRADES for i in range(1, 6)]),
        "emp_title": decode(places, titles, missing_title),
        "emp_length": pick(rng, EMPLOYED, n)[0],
        "home_ownership": homes,
        "annual_inc": pa.array(income, mask=rng.random(n) < 1e-4),
        "verification_status": pick(rng, VERIFIED, n)[0],
        "issue_d": pa.array(issued),
        "loan_status": status,
        "purpose": pick(rng, PURPOSES, n)[0],
        "addr_state": states,
        "dti": pa.array(ratio, mask=rng.random(n) < 1e-3),
        "delinq_2yrs": rng.poisson(0.3, n).astype(float),
        "inq_last_6mths": inquiries.astype(float),
        "open_acc": 1.0 + rng.poisson(11, n),
        "revol_bal": np.round(rng.gamma(1.1, 14000, n)),
        "revol_util": util,
        "total_acc": 2.0 + rng.poisson(24, n),
        "total_pymnt": paid,
        "recoveries": cents(np.where(bad, amount * 0.05 * rng.random(n), 0)),
    })


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("out")
    p.add_argument("--rows", type=int, default=1_000_000)
    p.add_argument("--files", type=int, default=4)
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    os.makedirs(a.out, exist_ok=True)
    edges = np.linspace(0, a.rows, a.files + 1).astype(int)
    for i, (lo, hi) in enumerate(zip(edges, edges[1:])):
        part = os.path.join(a.out, f"part-{i:05d}.parquet")
        with pq.ParquetWriter(part + ".tmp", loans(0, 1, a.seed).schema, compression="snappy") as w:
            for first in range(lo, hi, 250_000):
                w.write_table(loans(first, min(250_000, hi - first), a.seed))
        os.replace(part + ".tmp", part)


if __name__ == "__main__":
    main()
