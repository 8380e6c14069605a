"""Everything about connections; knows neither models nor migrations."""
