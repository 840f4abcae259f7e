"""Move platforms to where the demand is, against wind and night."""
