internal import Results

extension HTMLReport {
  /// What the numbers are of and how far they reach, with this study's own settings.
  var guide: Markup {
    let settings = study.provenance.settings
    let sigma = Numbers.exact(settings.sigma)
    let floor = Numbers.plain(1 / (Double(settings.pairings) + 1))
    let terms: [(String, Markup)] = [
      (
        "What a figure is of",
        """
        I(feature; token + σZ): the mutual information between a record's input feature and a token, which is a \
        compact form of one layer's gradient (at most \(settings.components) principal components, standardised on \
        training rows), after normal noise of standard deviation σ = \(sigma) is added.
        """
      ),
      (
        "Why sigma is needed",
        """
        A gradient is computed from its record without chance, so with unlimited precision it says infinitely much. \
        Sigma sets how finely one looks: smaller, and figures grow. Compare figures at the same sigma only.
        """
      ),
      (
        "Why there is no single “the leakage”",
        """
        Every figure depends on layer, moment in training, feature, sigma and the observer's tools. A better observer \
        can see more; a token never says more than its gradient. Read the figures as what this observer saw.
        """
      ),
      (
        "Estimate, lower bound, score",
        """
        An estimate (“about”) may lie on either side of the truth. A lower bound (“at least”) is evaluated on rows that \
        nothing was fitted on; in expectation the truth lies above it. All but the \
        nearest neighbours see linear structure only: a layer can give its input away and read low. A held-out score (percent) is what an attack \
        of that kind achieved, not a limit on attacks.
        """
      ),
      (
        "Ceiling and saturation",
        """
        From N rows no lower bound can certify more than about ln N nats, however much leaks; the Gaussian estimate's \
        ceiling is the capacity of its estimand at this sigma. Above 80 % of its ceiling a figure is marked saturated: \
        read it as “at least”.
        """
      ),
      (
        "Heavy tails (†)",
        """
        A few large gradients set the scale, and all others look alike: such a figure understates. Less of it over \
        training can mean smaller gradients, not a smaller leak. Tokens of directions do not have this fault.
        """
      ),
      (
        "The null",
        """
        The same computation with gradients paired to other records of the same step, \(settings.pairings) times. What \
        that gives is chance. Negative figures are kept: they mean that nothing was found.
        """
      ),
      (
        "p, map p and findings",
        """
        p compares a figure with its own null; map p with the largest null figure anywhere in the map, which makes up \
        for testing many cells. A finding has map p of at most \(Numbers.plain(Verdict.level)). A score counts \
        where its own question, input or label, has a finding in the cell and its interval lies above chance. With \(settings.pairings) \
        pairings no p-value can be below 1/(\(settings.pairings) + 1) = \(floor).
        """
      ),
      (
        "Interval",
        "The 95 % interval counts the chance of which records were held out, not a wrong choice of method."
      ),
      (
        "Probe and trace",
        """
        A probe takes the gradients of a fixed set of records at one frozen state of the weights: clean statistics. A \
        trace groups gradients of training steps, between which weights drift. Their figures do not compare.
        """
      ),
      (
        "No finding",
        "Says that this analysis, with this many rows and this sigma, saw nothing. It is not proof of absence."
      ),
      (
        "Not tested",
        """
        Measured, but not compared with enough mismatched pairings: fewer than \(Verdict.fewestPairings) cannot give a \
        finding.
        """
      ),
    ]
    let items = terms.map { "<div><dt>\($0.0)</dt><dd>\($0.1)</dd></div>\n" as Markup }
    return "<dl class=\"terms\">\n\(items)</dl>\n"
  }
}
