"""The SEM model syntax (lavaan's): a grammar, its parser, and statements with positions."""
