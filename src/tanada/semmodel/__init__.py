"""Between the parameter table and the engine: matrix cells, data, sample moments, start values."""
