"""A plain list: a GET a page, and a `next` that leads to the following one."""
