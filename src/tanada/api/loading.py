"""`tn.load`: open a saved model."""

from __future__ import annotations

from typing import Any

from tanada.results.mixed_result import MixedResult
from tanada.results.storage import load_mixed


def load(path: Any) -> MixedResult:
    """Open a model written by `save`.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    MixedResult
        Summarises, predicts and refits as the saved one did. Nothing in the file is executed.

    Raises
    ------
    DataError
        When the file is not a saved model.

    Examples
    --------
    >>> import tanada as tn, tempfile, os
    >>> d = tn.load_dataset("school_survey")
    >>> m = tn.mixed("read_score ~ escs + (1 | school_id)", d)
    >>> path = os.path.join(tempfile.mkdtemp(), "model.tanada")
    >>> m.save(path)
    >>> tn.load(path).loglik == m.loglik
    True
    """
    return load_mixed(path)
