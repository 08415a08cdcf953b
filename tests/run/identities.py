"""Two age identities, and a file of both with a passphrase that is cheap to decrypt.

`pyrage` itself chooses how much work a passphrase takes, by a measurement: under load it may refuse its own file.
"""

import pyrage

ALICE = pyrage.x25519.Identity.from_str("AGE-SECRET-KEY-1VQW37FWAQKZC65ULWEM2A68CDEDCP6L9M5DJJEL6ERJM6WWYGS6SAVKYER")
BOB = pyrage.x25519.Identity.from_str("AGE-SECRET-KEY-1U85HTPGTEXWD882LPGRLXE8ERU2K7EMFAV8CX3F2NZ2UCUTC4YJQLDH6CE")
PASSPHRASE = "open sesame"
PROTECTED = """\
-----BEGIN AGE ENCRYPTED FILE-----
YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IHNjcnlwdCBRVVFuOUNLK1BwT2lMeWtX
RUxLWnRBIDEyClBmSFlSdWJkNUxETnF0RTFoUS9xb1pyV1JMVVJLckZxN1N6czJR
a2JQRUUKLS0tIDFVRGdxa0VPTEdGbFJhYndBNzJDMDJGcTJLNW1rbzJFcGVsYUJW
MHduckEKp2uXArNbEJxgb96s3cyZMp448o510kyCmfqnsLAPLGdAKD7zQZE6ru+O
BYMRFgw5J+PAnAjAuy7bfeXFdP0Zv4+wp4SsMvaVVSVzgfu3P4wVihh+NTvhl44W
MfmS2Fhaogt23RIGpIsNm8JZcIDdGHxe3Jpi+ULLM5DUftgf7cmfcAixXyi+WCP1
l+lY2msdMMBJCuguv2LbLvO+eNtzbzoz6WJnOYQZ4VTHGTkDCk668unsBMxeCD/f
AXM82Q==
-----END AGE ENCRYPTED FILE-----
"""
