# Model matrices of R for many formulas on one small table: Rscript make_model_matrices.R
# Writes model_matrices.json (data, versions; for each formula the column names, values and term labels).
suppressMessages({library(jsonlite); library(splines)})
set.seed(42)
n <- 24
d <- data.frame(
  x = round(rnorm(n), 3), z = round(runif(n, 1, 3), 3), w = round(rexp(n), 3),
  a = factor(rep(c("p", "q", "r"), length.out = n)),
  b = factor(rep(c("lo", "hi"), each = 3, length.out = n), levels = c("lo", "hi")),
  o = factor(rep(c("s", "m", "l", "xl"), times = c(7, 6, 6, 5)), levels = c("s", "m", "l", "xl"), ordered = TRUE),
  flag = rep(c(TRUE, FALSE, FALSE, TRUE, TRUE), length.out = n),
  dotted.name = round(rnorm(n), 3))
formulas <- c(
  "~ 1", "~ x", "~ 0 + x", "~ x - 1", "~ a", "~ 0 + a", "~ a - 1", "~ o", "~ 0 + o", "~ flag", "~ x * z", "~ x:z", "~ a * x", "~ a:x", "~ x + a:x",
  "~ a + a:x", "~ a * b", "~ a:b", "~ 0 + a:b", "~ a + a:b", "~ b / a", "~ a / x", "~ a * b * x", "~ (a + b + x)^2", "~ (a + b + x)^2 - a:b", "~ a * o",
  "~ o:x", "~ o * flag", "~ 0 + a + b", "~ 0 + x + a", "~ 0 + x + a:x", "~ b %in% a", "~ a + b %in% a", "~ x + I(x^2)", "~ I(x * z) + I(z > 2)", "~ log(z) + sqrt(w)",
  "~ poly(x, 2)", "~ poly(x, 3) * b", "~ poly(z, 2, raw = TRUE)", "~ scale(x)", "~ scale(x, scale = FALSE)", "~ bs(x, df = 5)", "~ bs(x, knots = c(-0.5, 0.5))",
  "~ ns(x, df = 3)", "~ ns(x, df = 4) * b", "~ ns(z, knots = c(1.5, 2))", "~ C(a, contr.sum)", "~ C(a, contr.helmert) * x", "~ C(b, contr.sum):x",
  "~ dotted.name + log(z):dotted.name", "~ factor(round(w)) + x", "~ I((x + z)^2) + x", "~ exp(-x) + abs(x)", "~ b:x + a", "~ z:a:b", "~ x + z + w - z", "~ I(a == 'q')",
  "~ a:b:x", "~ x:a + x:b", "~ flag:x", "~ 0 + flag", "~ 0 + o:a", "~ I(x / z) + I(x %% 2)", "~ pmin(x, z)", "~ ifelse(x > 0, z, w)")
out <- lapply(formulas, function(f) {
  m <- model.matrix(as.formula(f), d)
  list(formula = f, names = I(colnames(m)), values = unname(split(signif(m, 12), row(m))), rank = qr(m)$rank, kept = I(sort(qr(m)$pivot[seq_len(qr(m)$rank)])))
})
d$y <- seq_len(n)  # bases beyond the range of the data, as predict() makes them
beyond <- lapply(c("~ bs(x, df = 5)", "~ ns(x, df = 3)", "~ poly(x, 2)", "~ scale(x)"), function(f) {
  t <- delete.response(terms(lm(update(as.formula(f), y ~ .), d)))
  m <- suppressWarnings(model.matrix(t, model.frame(t, data.frame(x = c(-6, 0.2, 7)))))
  list(formula = f, values = unname(split(signif(m, 12), row(m))))
})
d$y <- NULL
data <- lapply(d, function(c) if (is.factor(c)) as.character(c) else c)
writeLines(toJSON(list(versions = list(R = as.character(getRversion())), data = data, levels = list(a = levels(d$a), b = levels(d$b), o = levels(d$o)), matrices = out, beyond = beyond),
                  auto_unbox = TRUE, digits = 12), "model_matrices.json")
