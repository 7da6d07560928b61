"""Text for people."""

__all__ = ["duration"]


def duration(seconds: float) -> str:
    """Write a length of time with its two largest units, such as "14 h 55 min" or "45 s".

    Args:
        seconds: The time, at least 0.
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 600:
        large, small, names = *divmod(whole, 60), ("min", "s")
    elif (minutes := round(seconds / 60)) < 60:
        large, small, names = minutes, 0, ("min", "s")
    elif minutes < 48 * 60:
        large, small, names = *divmod(minutes, 60), ("h", "min")
    else:
        large, small, names = *divmod(round(seconds / 3600), 24), ("d", "h")
    return f"{large} {names[0]}" + (f" {small} {names[1]}" if small else "")
