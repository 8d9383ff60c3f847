"""The hash-chained log of disclosures, exports, decisions and changes of rights."""
